import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { SwiftletError } from '../../model/errors.ts';
import { type ApiClient, problemOf } from '../api-client.ts';
import { connectApi } from '../connect-api.ts';
import { messageOf } from '../failure.ts';
import { knownFunction } from '../known-function.ts';
import { openOutput } from '../output.ts';

export interface InvokeFlags {
  readonly data: string;
  readonly json?: boolean;
  readonly verbose?: boolean;
  readonly async?: boolean;
  readonly orderKey?: string;
  readonly idempotencyKey?: string;
}

const factHeaders = ['x-swiftlet-request-id', 'x-swiftlet-version', 'x-swiftlet-start', 'server-timing'];

/** Prints what a function answers as it comes; it is JSON with and without `--json`. With `--async` it prints the event's id. */
export async function invoke(
  name: string,
  { data, json = false, verbose = false, async: later = false, orderKey, idempotencyKey }: InvokeFlags,
): Promise<void> {
  const keys = {
    ...(orderKey === undefined ? {} : { orderKey }),
    ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
  };
  if (!later && Object.keys(keys).length > 0)
    throw new SwiftletError('BadRequest', '--order-key and --idempotency-key are for events that nobody waits for; add --async');
  const event = await eventOf(data);
  const api = connectApi(process.env);
  const output = openOutput(json);
  if (later) {
    const accepted = await output.progress(`sending to ${name}`, knownFunction(api, name, api.invokeLater(name, event, keys)));
    output.result(accepted, () => accepted.id);
    return;
  }
  const response = await output.progress(`invoking ${name}`, knownFunction(api, name, answerOf(api, name, event)));
  if (verbose) process.stderr.write(factHeaders.map((header) => `${header}: ${response.headers.get(header) ?? ''}\n`).join(''));
  if (response.body !== null) await pipeline(response.body, process.stdout, { end: false });
  process.stdout.write('\n');
}

async function answerOf(api: ApiClient, name: string, event: string): Promise<Response> {
  const response = await api.invoke(name, event);
  if (response.ok) return response;
  throw await problemOf(response);
}

/** @param data JSON, or @ and a file with it, or - for standard input */
async function eventOf(data: string): Promise<string> {
  const from = data === '-' ? 'standard input' : data.startsWith('@') ? data.slice(1) : undefined;
  const said = from === undefined ? '--data' : `--data (${from})`;
  const read = from === undefined ? Promise.resolve(data) : data === '-' ? text(process.stdin) : readFile(from, 'utf8');
  const event = await read.catch((error: unknown) => {
    throw new SwiftletError('BadRequest', `${said} cannot be read: ${messageOf(error)}`, { cause: error });
  });
  try {
    JSON.parse(event);
    return event;
  } catch (error) {
    throw new SwiftletError(
      'BadRequest',
      `${said} is no JSON: ${messageOf(error)}; quote it like '{"name":"you"}', or name a file with @event.json`,
      { cause: error },
    );
  }
}
