/** Deliveries to queues: each goes over a connection that is kept for a while, since others mostly follow. */
import { isErrorCode, SwiftletError } from '../model/errors.ts';
import type { QueueTarget } from '../model/queue-target.ts';
import type { QueueRequest } from '../wire/event-calls.ts';
import { functionKey } from '../wire/published-state.ts';
import type { Outcome } from './decide.ts';
import type { Deliver, Delivery } from './deliver.ts';
import type { FunctionRef } from './event-log.ts';
import type { Sink, SinkMeans } from './sources/sink.ts';
import { missingVariable, type Variable } from '../wire/variables.ts';

/** A connection that nothing was sent over for so long is closed; so many are open at most. */
const idleMs = 30_000;
const mostOpen = 64;

export interface QueueMeans {
  /** A variable of the function as it is now. */
  readonly variableOf: (ref: FunctionRef, name: string) => Variable;
  readonly open: (target: QueueTarget, means: SinkMeans) => Promise<Sink>;
}

interface Line {
  readonly sink: Promise<Sink>;
  idle: NodeJS.Timeout | undefined;
  sending: number;
}

export class QueueSender implements AsyncDisposable {
  readonly #means: QueueMeans;
  readonly #lines = new Map<string, Line>();

  constructor(means: QueueMeans) {
    this.#means = means;
  }

  /** Never rejects. */
  readonly deliver: Deliver<QueueRequest> = async (delivery) => {
    const { key, line } = this.#line(delivery);
    line.sending += 1;
    clearTimeout(line.idle);
    try {
      const sink = await line.sink;
      await sink.send({ id: delivery.id, body: delivery.body, contentType: 'application/json' });
      return sent;
    } catch (error) {
      const outcome = outcomeOf(error);
      // What the message is to blame for is not the connection's.
      if (outcome.kind !== 'refused') this.#drop(key, line);
      return outcome;
    } finally {
      line.sending -= 1;
      if (line.sending === 0 && this.#lines.get(key) === line) line.idle = setTimeout(() => this.#drop(key, line), idleMs);
    }
  };

  async [Symbol.asyncDispose](): Promise<void> {
    const lines = [...this.#lines.values()];
    this.#lines.clear();
    for (const { idle } of lines) clearTimeout(idle);
    await Promise.all(lines.map(closeLine));
  }

  #line(delivery: Delivery<QueueRequest>): { key: string; line: Line } {
    const { to } = delivery.request;
    const secret = (variable: string): string => {
      const found = this.#means.variableOf(delivery, variable);
      if (found.kind === 'known') return found.value;
      const code = found.kind === 'awaited' ? 'Unavailable' : 'SourceInvalid';
      throw new SwiftletError(code, missingVariable(found, variable, delivery.function));
    };
    const key = `${functionKey(delivery.tenant, delivery.function)} ${JSON.stringify(to)}`;
    const known = this.#lines.get(key);
    if (known !== undefined) return { key, line: known };
    this.#makeRoom();
    const line: Line = { sink: this.#means.open(to, { secret }), idle: undefined, sending: 0 };
    this.#lines.set(key, line);
    return { key, line };
  }

  #makeRoom(): void {
    if (this.#lines.size < mostOpen) return;
    for (const [key, line] of this.#lines) {
      if (line.sending > 0) continue;
      this.#drop(key, line);
      return;
    }
  }

  #drop(key: string, line: Line): void {
    clearTimeout(line.idle);
    if (this.#lines.get(key) === line) this.#lines.delete(key);
    void closeLine(line);
  }
}

const closeLine = ({ sink }: Line): Promise<void> =>
  sink.then(
    (open) => open[Symbol.asyncDispose](),
    () => undefined,
  );

const sent: Outcome = { kind: 'answered', result: { status: 200, body: '', encoding: 'utf8', isTruncated: false } };

/** A queue that is away is waited for, as long as the event may live; what only a person can mend counts as an attempt. */
function outcomeOf(error: unknown): Outcome {
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof SwiftletError && isErrorCode(error.code) ? error.code : 'Internal';
  if (code === 'RequestTooLarge') return { kind: 'refused', error: { code, message } };
  const isAway = code === 'SourceUnreachable' || code === 'Unavailable';
  return { kind: isAway ? 'throttled' : 'failed', error: { code, message } };
}
