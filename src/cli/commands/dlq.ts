import { isUtf8 } from 'node:buffer';
import { SwiftletError } from '../../model/errors.ts';
import { queueText } from '../../model/queue-target.ts';
import type { EventRequest, Selection } from '../../wire/event-calls.ts';
import { connectApi } from '../connect-api.ts';
import { openOutput } from '../output.ts';
import { printable } from '../printable.ts';
import { table } from '../table.ts';
import { eventText } from './event.ts';

export interface DeadLetterFlags {
  readonly function?: string;
  readonly all?: boolean;
  readonly json?: boolean;
}

/** Headers whose values open doors: they are stored, and not shown. */
const secretHeaders: readonly string[] = ['authorization', 'cookie'];

export async function list({ function: name, lines, json = false }: DeadLetterFlags & { readonly lines: number }): Promise<void> {
  const output = openOutput(json);
  const { events, more } = await output.progress('listing', connectApi(process.env).deadLetters(name, lines));
  output.result(events, () => {
    if (events.length === 0) return 'No dead letters.';
    const rows = events.map((event) => [event.id, event.function, event.endedAt ?? '', String(event.attempts), event.error?.code ?? '']);
    return table(['EVENT', 'FUNCTION', 'ENDED', 'ATTEMPTS', 'ERROR'], rows) + (more ? '\nThere are more: --lines shows them.' : '');
  });
}

export async function show(id: string, { json = false }: { json?: boolean }): Promise<void> {
  const output = openOutput(json);
  const letter = await output.progress('asking', connectApi(process.env).deadLetter(id));
  output.result(letter, () => {
    const bytes = Buffer.from(letter.body, 'base64');
    const body = isUtf8(bytes) ? printable(bytes.toString()) : `${bytes.length} bytes that are no text; --json has them in Base64`;
    return `${eventText(letter.event)}\n\n${requestText(letter.request)}${body}`;
  });
}

export async function change(what: 'redrive' | 'purge', ids: readonly string[], flags: DeadLetterFlags): Promise<void> {
  const selection = selectionOf(ids, flags);
  const output = openOutput(flags.json ?? false);
  const count = await output.progress(what, connectApi(process.env).changeDeadLetters(what, selection));
  const done = what === 'redrive' ? 'delivered anew' : 'removed';
  output.result({ count }, () => `${count} dead ${count === 1 ? 'letter is' : 'letters are'} ${done}.`);
}

function selectionOf(ids: readonly string[], { function: name, all = false }: DeadLetterFlags): Selection {
  const said = [ids.length > 0, name !== undefined, all].filter(Boolean).length;
  if (said === 1 && ids.length > 0) return { ids: [...ids] };
  if (said === 1 && name !== undefined) return { function: name };
  if (said === 1) return { all: true };
  throw new SwiftletError('BadRequest', 'say which dead letters: their ids, --function <name>, or --all; one of these');
}

function requestText(request: EventRequest): string {
  if (request.kind === 'event') return '';
  if (request.kind === 'webhook') return `webhook ${printable(request.url)}\n\n`;
  if (request.kind === 'queue') return `queue ${printable(queueText(request.to))}\n\n`;
  const { method, target, headers } = request;
  const lines = headers.flatMap((name, at) => {
    if (at % 2 === 1) return [];
    return [`${name}: ${secretHeaders.includes(name.toLowerCase()) ? '***' : (headers[at + 1] ?? '')}`];
  });
  return `${printable([`${method} ${target}`, ...lines].join('\n'))}\n\n`;
}
