/** Work that goes on beside what gives it, so much at a time. */
export interface BoundedWork extends AsyncDisposable {
  /** Begins it, once there is room. @throws what any of it failed with before */
  add(work: () => Promise<void>): Promise<void>;
  /** Resolves when all is done. @throws what the first of it failed with */
  done(): Promise<void>;
  /** Waits for the end of what has begun, whatever becomes of it. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** @param atOnce of it at most */
export function boundedWork(atOnce: number): BoundedWork {
  const under = new Set<Promise<void>>();
  const failures: unknown[] = [];
  const throwFirst = () => {
    if (failures.length > 0) throw failures[0];
  };
  const end = async () => {
    await Promise.all(under);
  };
  return {
    async add(work) {
      while (under.size >= atOnce) await Promise.race(under);
      throwFirst();
      const one: Promise<void> = work()
        .catch((error: unknown) => {
          failures.push(error);
        })
        .finally(() => under.delete(one));
      under.add(one);
    },
    async done() {
      await end();
      throwFirst();
    },
    [Symbol.asyncDispose]: end,
  };
}
