/** What `work` gives, or `otherwise` when it has not settled in time; then it goes on, and nobody looks at it. */
export async function within<T>(limitMs: number, work: Promise<T>, otherwise: () => T): Promise<T> {
  const timeout = Promise.withResolvers<T>();
  const timer = setTimeout(() => timeout.resolve(otherwise()), limitMs);
  try {
    return await Promise.race([work, timeout.promise]);
  } finally {
    clearTimeout(timer);
  }
}
