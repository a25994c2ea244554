/** The JSON of states, which stand in their own item and once more in the event that made them. */
const texts = new WeakMap<object, string>();

/** The JSON of a state, made once: states do not change. */
export function jsonOf(state: object): string {
  let text = texts.get(state);
  if (text === undefined) texts.set(state, (text = JSON.stringify(state)));
  return text;
}

/** The JSON of an object that may hold states: those that have been written already are not made again. */
export function jsonWith(holder: object): string {
  const fields: string[] = [];
  for (const [name, value] of Object.entries(holder)) {
    const known = typeof value === 'object' && value !== null ? texts.get(value as object) : undefined;
    const text = known ?? JSON.stringify(value);
    if (text !== undefined) fields.push(`${JSON.stringify(name)}:${text}`);
  }
  return `{${fields.join(',')}}`;
}
