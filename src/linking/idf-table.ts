const IDF_POWER = 1.2;
/** Below this many notes every note counts; above, the table stands for a size within 1 %. */
const EXACT_SIZE = 128;

/** The size for which tables are built: exact when small, else rounded to 7 binary digits. */
function tabledSize(size: number): number {
  if (size <= EXACT_SIZE) return size;
  const step = 2 ** (32 - Math.clz32(size) - 8);
  return Math.round(size / step) * step;
}

/**
 * Inverse document frequency, to the power of 1.2, by document frequency. A function of the number of notes
 * alone; stepping by 1 % spares building it anew for every note added.
 */
export class IdfTable {
  #size = -1;
  #values = new Float64Array(0);

  /** The table for a vault of `size` notes, by document frequency from 1 to `size`. */
  forSize(size: number): Float64Array {
    const tabled = tabledSize(size);
    if (tabled === this.#size && this.#values.length > size) return this.#values;
    this.#size = tabled;
    // Room for the sizes up to the next step.
    this.#values = Float64Array.from(
      { length: Math.ceil(size * 1.02) + 2 },
      (_, frequency) => Math.log(1 + Math.max(tabled, 1) / Math.max(frequency, 1)) ** IDF_POWER,
    );
    return this.#values;
  }
}
