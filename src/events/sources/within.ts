/** Waits for an end, but not for ever: a server that is gone answers no farewell. */

/** Resolves when it has ended, however, or when the time is over. @param limitMs milliseconds */
export async function within(limitMs: number, ending: Promise<unknown>): Promise<void> {
  const over = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => over.resolve(undefined), limitMs);
  await Promise.race([ending.catch(() => undefined), over.promise]);
  clearTimeout(timer);
}
