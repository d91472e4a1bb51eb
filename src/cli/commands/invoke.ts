import { readFileSync } from 'node:fs';
import { SwiftletError } from '../../model/errors.ts';
import { connectApi, problemOf } from '../api-client.ts';
import { openOutput } from '../output.ts';

export interface InvokeFlags {
  readonly data?: string;
  readonly json?: boolean;
  readonly verbose?: boolean;
  readonly async?: boolean;
}

export async function invoke(
  name: string,
  { data = '{}', json = false, verbose = false, async: later = false }: InvokeFlags,
): Promise<void> {
  if (later)
    throw new SwiftletError(
      'BadRequest',
      '--async needs the durable event queue, which this version does not have yet; leave it out to wait for the answer',
    );
  const event = eventOf(data);
  const output = openOutput(json);
  const response = await output.progress(`invoking ${name}`, connectApi(process.env).invoke(name, event));
  if (verbose)
    output.note(
      ['x-swiftlet-request-id', 'x-swiftlet-version', 'x-swiftlet-start', 'server-timing']
        .map((header) => `${header}: ${response.headers.get(header) ?? ''}`)
        .join('\n'),
    );
  if (!response.ok) throw await problemOf(response);
  process.stdout.write(`${await response.text()}\n`);
}

/** @param data JSON, or @ and a file with it, or - for standard input */
function eventOf(data: string): string {
  const path = data === '-' ? '/dev/stdin' : data.startsWith('@') ? data.slice(1) : undefined;
  try {
    const text = path === undefined ? data : readFileSync(path, 'utf8');
    JSON.parse(text);
    return text;
  } catch (error) {
    throw new SwiftletError(
      'BadRequest',
      `--data is no JSON${path === undefined ? '' : ` (${path})`}: ${error instanceof Error ? error.message : String(error)}; quote it like '{"name":"you"}', or name a file with @event.json`,
      { cause: error },
    );
  }
}
