/** How many messages wait for functions that scale by them, as the event log said last. */
import { functionKey } from '../wire/published-state.ts';
import type { FunctionLag } from '../wire/scale-calls.ts';

/** What was said before says nothing of now. */
const validMs = 10_000;

interface Named {
  readonly tenant: string;
  readonly function: string;
}

export class SourceLags {
  #byFunction: ReadonlyMap<string, number> = new Map();
  #untilMs = Number.NEGATIVE_INFINITY;

  take(lags: readonly FunctionLag[], nowMs: number): void {
    this.#byFunction = new Map(lags.map(({ tenant, function: name, messages }) => [functionKey(tenant, name), messages]));
    this.#untilMs = nowMs + validMs;
  }

  /** 0 while nobody knows. */
  of({ tenant, function: name }: Named, nowMs: number): number {
    return nowMs < this.#untilMs ? (this.#byFunction.get(functionKey(tenant, name)) ?? 0) : 0;
  }
}
