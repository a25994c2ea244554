/** Marks the end of a `switch` over a closed union: the compiler proves it unreachable. */
export function assertNever(value: never): never {
  throw new Error(`Unhandled case: ${JSON.stringify(value)}`);
}
