/** What the ledgers of a run say, held against what was promised. Pure. */
import type { EventRecord } from '../../../src/events/event-log.ts';

/** An execution, in the order in which they came. */
export interface Execution {
  readonly id: string;
  /** `client number`: what the event was sent with. */
  readonly sent: string;
}

export interface Ledgers {
  /** Events whose caller had 202. */
  readonly accepted: readonly string[];
  /** What clients sent, whether they had an answer or not. */
  readonly sent: ReadonlySet<string>;
  readonly executions: readonly Execution[];
  /** What the log knows of an event. */
  readonly find: (id: string) => EventRecord | undefined;
  /** Attempts an event may have. */
  readonly attempts: number;
}

export interface Verdict {
  /** Accepted, and not known any more. */
  readonly lost: readonly string[];
  /** Accepted, known, and not ended. */
  readonly unended: readonly string[];
  /** Executed, and nobody sent it. */
  readonly madeUp: readonly string[];
  /** Tried more often than it may be. */
  readonly overtried: readonly string[];
  /** Succeeded without an execution. */
  readonly unexecuted: readonly string[];
  /** Executed after one that its client sent later. */
  readonly outOfOrder: readonly string[];
}

const openStates: readonly string[] = ['waiting', 'running'];

export function judge({ accepted, sent, executions, find, attempts }: Ledgers): Verdict {
  const executed = new Set(executions.map(({ id }) => id));
  const known = [...new Set([...accepted, ...executed])].map((id) => ({ id, record: find(id) }));
  const mine = new Set(accepted);
  return {
    lost: known.filter(({ id, record }) => mine.has(id) && record === undefined).map(({ id }) => id),
    unended: known.filter(({ record }) => record !== undefined && openStates.includes(record.state)).map(({ id }) => id),
    madeUp: executions.filter((one) => !sent.has(one.sent)).map(({ id }) => id),
    overtried: known.filter(({ record }) => (record?.attempts ?? 0) > attempts).map(({ id }) => id),
    unexecuted: known.filter(({ id, record }) => record?.state === 'succeeded' && !executed.has(id)).map(({ id }) => id),
    outOfOrder: outOfOrder(executions),
  };
}

/** Each client sends with an order key of its own and counts: what comes again may, what goes back may not. */
function outOfOrder(executions: readonly Execution[]): string[] {
  const last = new Map<string, number>();
  return executions.flatMap(({ id, sent }) => {
    const [client = '', number = ''] = sent.split(' ');
    const before = last.get(client) ?? -1;
    last.set(client, Math.max(before, Number(number)));
    return Number(number) < before ? [id] : [];
  });
}

export const clean: Verdict = { lost: [], unended: [], madeUp: [], overtried: [], unexecuted: [], outOfOrder: [] };
