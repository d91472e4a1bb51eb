/** What the relay keeps of invocations, and how control reads it: logs, reports that outlast them, usage. */
import { SwiftletError } from '../model/errors.ts';
import {
  appendSchema,
  findTraceSchema,
  forgetSchema,
  keepSchema,
  readKeptSchema,
  readLogSchema,
  readUsageSchema,
} from '../wire/relay-calls.ts';
import type { LogStore } from './log-store.ts';
import type { UsageStore } from './usage-store.ts';

const searchLimitMs = 4_000;

export interface RecordBooks {
  readonly logs: LogStore;
  /** Reports of cold starts and of the slowest requests. */
  readonly kept: LogStore;
  readonly usage: UsageStore;
}

/** A notice of a gateway or the agent. */
export function takeNotice({ logs, kept, usage }: RecordBooks, method: string, body: unknown): void {
  if (method === 'append') {
    const { tenant, function: name, text, usage: counts } = appendSchema.parse(body);
    if (text !== '') logs.appendLines(tenant, name, text);
    if (counts !== undefined) usage.add(tenant, name, counts);
  }
  if (method === 'keep') {
    const { tenant, function: name, text } = keepSchema.parse(body);
    kept.appendLines(tenant, name, text);
  }
}

/** A question of control's. @throws SwiftletError NotFound for one that is none */
export async function answerQuestion({ logs, kept, usage }: RecordBooks, method: string, body: unknown): Promise<object> {
  switch (method) {
    case 'read': {
      const { tenant, function: name, last } = readLogSchema.parse(body);
      return { lines: await logs.last(tenant, name, last) };
    }
    case 'kept': {
      const { tenant, function: name, last } = readKeptSchema.parse(body);
      return { lines: await kept.last(tenant, name, last) };
    }
    case 'trace':
      return { found: await findTrace([kept, logs], body) };
    case 'usage':
      return { rows: usage.read(readUsageSchema.parse(body)) };
    case 'forget': {
      const { tenant, function: name } = forgetSchema.parse(body);
      await Promise.all([logs.forget(tenant, name), kept.forget(tenant, name)]);
      return {};
    }
    default:
      throw new SwiftletError('NotFound', `the relay knows no call "${method}"`);
  }
}

async function findTrace(stores: readonly LogStore[], body: unknown): Promise<{ function: string; line: string } | undefined> {
  const { tenant, requestId, function: name } = findTraceSchema.parse(body);
  // As gateways write it. No function can: its own text is escaped.
  const bytes = Buffer.from(`"level":"report","requestId":"${requestId}"`);
  const signal = AbortSignal.timeout(searchLimitMs);
  try {
    for (const store of stores) {
      const found = await store.find(tenant, name, bytes, signal);
      if (found !== undefined) return found;
    }
    return undefined;
  } catch (error) {
    if (!signal.aborted) throw error;
    throw new SwiftletError('Unavailable', `the logs could not be searched within ${searchLimitMs / 1000} s; say which function it was`, {
      cause: error,
    });
  }
}
