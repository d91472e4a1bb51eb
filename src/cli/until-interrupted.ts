import { SwiftletError } from '../model/errors.ts';

/** The signals that ask for an end end what is being made, so that it can clean up. */
export function untilInterrupted(): AbortSignal {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () =>
      stop.abort(new SwiftletError('ClientClosedRequest', `stopped by ${signal}; what was not published yet is not`)),
    );
  }
  return stop.signal;
}
