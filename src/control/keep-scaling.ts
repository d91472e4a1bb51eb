import type { Logger } from 'pino';
import { type Autoscaler, decideEveryMs } from './autoscaler.ts';

/** Looks every second until disposed. */
export function keepScaling(autoscaler: Autoscaler, log: Logger): AsyncDisposable {
  const failed = (what: string) => (error: unknown) => log.error({ err: error }, what);
  const looks = everySecond(() => autoscaler.look().catch(failed('numbers of instances could not be decided')));
  const learns = everySecond(() => autoscaler.learnLags().catch(failed('what waits for functions could not be asked')));
  return {
    async [Symbol.asyncDispose]() {
      await Promise.all([looks[Symbol.asyncDispose](), learns[Symbol.asyncDispose]()]);
    },
  };
}

/** Not before it is over that was begun the last time. */
function everySecond(act: () => Promise<void>): AsyncDisposable {
  let acting: Promise<void> | undefined;
  const timer = setInterval(() => {
    acting ??= act().finally(() => (acting = undefined));
  }, decideEveryMs);
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await acting;
    },
  };
}
