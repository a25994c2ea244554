/** A state and its JSON: it stands in its own item, and once more in the event that made it. */
export interface StateText {
  readonly state: object;
  readonly text: string;
}

/** The JSON of an object that may hold the state, which is not written a second time. */
export function jsonWith(holder: object, known: StateText | undefined): string {
  const fields: string[] = [];
  for (const [name, value] of Object.entries(holder)) {
    const text = known?.state === value ? known?.text : JSON.stringify(value);
    if (text !== undefined) fields.push(`${JSON.stringify(name)}:${text}`);
  }
  return `{${fields.join(',')}}`;
}
