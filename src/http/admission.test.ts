import { describe, expect, it } from 'vitest';
import { Gate, Turns } from './admission.ts';

/** Lets in whoever comes at one rate and answers them at another, for so long; gives the longest wait in the gate. */
function load(gate: Gate, perSecond: { readonly come: number; readonly answered: number }, seconds: number) {
  const waiting: number[] = [];
  let [longestMs, refused, due] = [0, 0, 0];
  for (let nowMs = 0; nowMs < seconds * 1_000; nowMs++) {
    for (let come = 0; come < perSecond.come / 1_000; come++) {
      if (gate.enter(nowMs)) waiting.push(nowMs);
      else {
        gate.refuse();
        refused += 1;
      }
    }
    for (due += perSecond.answered / 1_000; due >= 1; due--) {
      const since = waiting.shift();
      if (since === undefined) continue;
      gate.leave(nowMs);
      if (nowMs > (seconds * 1_000) / 2) longestMs = Math.max(longestMs, nowMs - since);
    }
  }
  return { longestMs, refused };
}

describe('a gate', () => {
  it('refuses nobody while all are answered', () => {
    const gate = new Gate();
    expect(load(gate, { come: 2_000, answered: 2_000 }, 5)).toMatchObject({ refused: 0 });
    expect(gate.refused).toBe(0);
  });

  it.each([400, 2_000, 5_000])(
    'at three times the %i a second that are answered, lets in what waits a quarter of a second',
    (answered) => {
      const { longestMs, refused } = load(new Gate(), { come: answered * 3, answered }, 10);
      expect(longestMs).toBeGreaterThan(150);
      expect(longestMs).toBeLessThan(350);
      expect(refused).toBeGreaterThan(answered * 15);
    },
  );

  it('always lets some in, also where nothing is answered for long', () => {
    const gate = new Gate();
    load(gate, { come: 1_000, answered: 10 }, 20);
    expect(gate.limit).toBe(64);
  });

  it('takes a burst again once it has been empty', () => {
    const gate = new Gate();
    load(gate, { come: 1_000, answered: 10 }, 20);
    while (gate.inside > 0) gate.leave(20_000);
    gate.enter(20_500);
    gate.leave(20_500);
    gate.enter(21_000);
    expect(gate.limit).toBe(512);
  });
});

describe('turns of the event loop', () => {
  /** Lets in, of so many that one turn reads, those that it takes; each costs so long. */
  async function turn(turns: Turns, kind: 'read' | 'write', costsMs: number, requests = 100) {
    let letIn = 0;
    for (let nowMs = 0, at = 0; at < requests; at++) {
      if (!turns.enter(kind, nowMs)) continue;
      letIn += 1;
      nowMs += costsMs;
    }
    await new Promise((resolve) => setImmediate(resolve));
    return letIn;
  }

  it('take in whatever comes until many in a row were long, and again when they were short for a while', async () => {
    const turns = new Turns();
    for (let nowMs = 0; nowMs < 9; nowMs++) turns.ticked(50, nowMs);
    expect(await turn(turns, 'write', 1)).toBe(100);
    turns.ticked(0, 10); // one was short: it is counted anew
    for (let nowMs = 11; nowMs < 20; nowMs++) turns.ticked(50, nowMs);
    expect(await turn(turns, 'write', 1)).toBe(100);
    turns.ticked(50, 20);
    expect(await turn(turns, 'write', 1)).toBeLessThan(20);
    turns.ticked(0, 100);
    expect(await turn(turns, 'write', 1)).toBeLessThan(20); // short because some were refused
    turns.ticked(0, 1_000);
    expect(await turn(turns, 'write', 1)).toBe(100);
  });

  it('that are long take in what fits, reads more than writes, and some however slow they are', async () => {
    const turns = new Turns();
    for (let nowMs = 0; nowMs < 20; nowMs++) turns.ticked(50, nowMs);
    const writes = await turn(turns, 'write', 0.25);
    const reads = await turn(turns, 'read', 0.25);
    expect(reads).toBeGreaterThan(1.5 * writes);
    expect(reads).toBeLessThan(100);
    expect(await turn(turns, 'write', 50)).toBe(16);
  });
});
