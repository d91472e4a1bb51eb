/** What is counted of one version while a rollout looks at it. Budget: 0.1 µs a request, and only then. */
import { errorKinds, isErrorCode } from '../../model/errors.ts';
import { type VersionCounts, watchBoundsMs } from '../../wire/gateway-calls.ts';
import { Distribution } from '../figures/histogram.ts';

const serverError = 500;

export class Watch {
  /** As it was published. */
  readonly id: number;
  #requests = 0;
  #errors = 0;
  readonly #times = new Distribution(watchBoundsMs);

  constructor(id: number) {
    this.id = id;
  }

  /** @param outcome `ok` or an error code @param status the function's own, when it gave one */
  observe(outcome: string, status: number | undefined, tookMs: number): void {
    this.#requests += 1;
    if (isFailure(outcome, status)) this.#errors += 1;
    this.#times.observe(tookMs);
  }

  countsOf(version: number): VersionCounts {
    return { version, requests: this.#requests, errors: this.#errors, times: [...this.#times.counts] };
  }
}

/** Whether a request ended badly for no fault of its caller's. */
export const isFailure = (outcome: string, status: number | undefined): boolean =>
  isErrorCode(outcome) ? errorKinds[outcome].fault !== 'caller' : status !== undefined && status >= serverError;
