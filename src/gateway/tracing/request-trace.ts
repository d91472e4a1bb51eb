/** What the gateway tells of its requests to whoever collects traces. */
import type { Exchange } from '../request/exchange.ts';

export interface Tracing extends AsyncDisposable {
  /**
   * A request comes in. From now on its headers name the span that its handler will be as the parent of all that comes after.
   * @param cameAtMs when it came, before it was known which version it is for
   */
  begin(exchange: Exchange, cameAtMs: number): RequestTrace;
}

export interface RequestTrace {
  /** The request is over. Called once. @param outcome `ok` or an error code */
  end(exchange: Exchange, outcome: string, nowMs: number): void;
}
