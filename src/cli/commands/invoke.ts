import { readFileSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { SwiftletError } from '../../model/errors.ts';
import { type ApiClient, connectApi, problemOf } from '../api-client.ts';
import { knownFunction } from '../known-function.ts';
import { openOutput } from '../output.ts';

export interface InvokeFlags {
  readonly data: string;
  readonly json?: boolean;
  readonly verbose?: boolean;
  readonly async?: boolean;
}

const factHeaders = ['x-swiftlet-request-id', 'x-swiftlet-version', 'x-swiftlet-start', 'server-timing'];

/** Prints what a function answers as it comes; it is JSON with and without `--json`. */
export async function invoke(name: string, { data, json = false, verbose = false, async: later = false }: InvokeFlags): Promise<void> {
  if (later) {
    throw new SwiftletError(
      'BadRequest',
      '--async needs the durable event queue, which comes with the events issue; leave it out to wait for the answer',
    );
  }
  const event = eventOf(data);
  const api = connectApi(process.env);
  const output = openOutput(json);
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
function eventOf(data: string): string {
  const path = data === '-' ? '/dev/stdin' : data.startsWith('@') ? data.slice(1) : undefined;
  try {
    const text = path === undefined ? data : readFileSync(path, 'utf8');
    JSON.parse(text);
    return text;
  } catch (error) {
    const from = path === undefined ? '' : ` (${path})`;
    const what = error instanceof Error ? error.message : String(error);
    if (!(error instanceof SyntaxError)) throw new SwiftletError('BadRequest', `--data${from} cannot be read: ${what}`, { cause: error });
    throw new SwiftletError(
      'BadRequest',
      `--data is no JSON${from}: ${what}; quote it like '{"name":"you"}', or name a file with @event.json`,
      { cause: error },
    );
  }
}
