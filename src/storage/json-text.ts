/** A state and its JSON: it stands in its own item, and once more in the event that made it. */
export interface StateText {
  readonly state: object;
  readonly text: string;
}

/** A JSON text and its length in UTF-8: told by its parts, for to count it whole it would first be copied together. */
export interface JsonText {
  readonly text: string;
  readonly bytes: number;
}

/** The JSON of an object that may hold the state, which is not written a second time. Its names are plain words. */
export function jsonWith(holder: object, known: StateText | undefined): JsonText {
  let fields = '';
  let bytes = 2;
  for (const name of Object.keys(holder)) {
    const value = (holder as Readonly<Record<string, unknown>>)[name];
    const text = known?.state === value ? known?.text : JSON.stringify(value);
    if (text === undefined) continue;
    const label = fields === '' ? `"${name}":` : `,"${name}":`;
    fields += label + text;
    bytes += label.length + Buffer.byteLength(text);
  }
  return { text: `{${fields}}`, bytes };
}
