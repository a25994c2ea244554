/** What two notes have to do with each other, both directions alike. */
export interface PairSignals {
  /** Logarithm of a tenth plus the similarity over the vault's mean similarity of near notes. */
  readonly similarity: number;
  /** How strongly one names the other: the larger and the smaller of the two directions. */
  readonly namingMax: number;
  readonly namingMin: number;
  /** The share of a title that the other note's text covers, damped; the larger direction. */
  readonly coverage: number;
  /** Written words of the longest title named, at most 4. */
  readonly phraseLength: number;
}

export interface Component {
  readonly name: string;
  readonly value: number;
  readonly coefficient: number;
  readonly product: number;
}

// Fitted once, on links that authors of developer vaults made by hand: see docs/design/linking.md, also for
// why the intercept is not the one fitted.
const INTERCEPT = -3.55;
const COEFFICIENTS: Readonly<Record<keyof PairSignals, number>> = {
  similarity: 1.14,
  namingMax: 1.22,
  namingMin: 2.61,
  coverage: 1.9,
  phraseLength: 0.73,
};
const SIMILARITY_FLOOR = 0.1;
const WEIGHT_STEPS = 1e6;

export function similaritySignal(similarity: number, meanNear: number): number {
  return Math.log(SIMILARITY_FLOOR + (meanNear > 0 ? similarity / meanNear : 0));
}

/** How far the similarity lifts the logit above that of notes that share nothing. */
export function similarityLift(signals: PairSignals): number {
  return COEFFICIENTS.similarity * (signals.similarity - Math.log(SIMILARITY_FLOOR));
}

export function namingLift(signals: PairSignals): number {
  return (
    COEFFICIENTS.namingMax * signals.namingMax +
    COEFFICIENTS.namingMin * signals.namingMin +
    COEFFICIENTS.phraseLength * signals.phraseLength
  );
}

export function coverageLift(signals: PairSignals): number {
  return COEFFICIENTS.coverage * signals.coverage;
}

export function logitOf(signals: PairSignals): number {
  return (
    INTERCEPT +
    similarityLift(signals) +
    COEFFICIENTS.similarity * Math.log(SIMILARITY_FLOOR) +
    namingLift(signals) +
    coverageLift(signals)
  );
}

/**
 * The weight of a link: an estimate, in (0,1), of the chance that an author would make it. Rounded, so that
 * both notes of a pair get the very same number though their sums run in another order.
 */
export function weightOf(logit: number): number {
  const weight = Math.round(WEIGHT_STEPS / (1 + Math.exp(-logit))) / WEIGHT_STEPS;
  return Math.min(1 - 1 / WEIGHT_STEPS, Math.max(1 / WEIGHT_STEPS, weight));
}

/** The sum behind a logit, term by term. */
export function componentsOf(signals: PairSignals): Component[] {
  const named: [string, number, number][] = [
    ['intercept', 1, INTERCEPT],
    ['similarity', signals.similarity, COEFFICIENTS.similarity],
    ['names (stronger direction)', signals.namingMax, COEFFICIENTS.namingMax],
    ['names (weaker direction)', signals.namingMin, COEFFICIENTS.namingMin],
    ['title covered', signals.coverage, COEFFICIENTS.coverage],
    ['length of the named title', signals.phraseLength, COEFFICIENTS.phraseLength],
  ];
  return named.map(([name, value, coefficient]) => ({
    name,
    value,
    coefficient,
    product: value * coefficient,
  }));
}
