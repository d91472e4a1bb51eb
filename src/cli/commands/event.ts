import type { EventView } from '../../wire/event-calls.ts';
import { connectApi } from '../connect-api.ts';
import { openOutput } from '../output.ts';
import { printable } from '../printable.ts';
import { table } from '../table.ts';

/** Shows what became of an event. */
export async function event(id: string, { json = false }: { json?: boolean }): Promise<void> {
  const output = openOutput(json);
  const found = await output.progress('asking', connectApi(process.env).event(id));
  output.result(found, () => eventText(found));
}

/** An event for people: its facts, and below them what the function answered. */
export function eventText(event: EventView): string {
  const { result, error, reason } = event;
  const facts = [
    ['event', event.id],
    ['function', event.function],
    ['state', reason === undefined ? event.state : `${event.state} (${reasons[reason]})`],
    ['accepted', event.acceptedAt],
    ['attempts', String(event.attempts)],
    ...(event.nextAttemptAt === undefined ? [] : [['next attempt', event.nextAttemptAt]]),
    ...(event.endedAt === undefined ? [] : [['ended', event.endedAt]]),
    ...(error === undefined ? [] : [['error', `${error.code}: ${printable(error.message)}`]]),
    ...(result === undefined ? [] : [['answer', `status ${result.status}${result.isTruncated ? ', its beginning:' : ''}`]]),
  ];
  const body = result === undefined ? '' : `\n\n${printable(result.body)}`;
  return `${table(['', ''], facts)}${body}`;
}

const reasons = {
  attempts: 'no attempt is left',
  age: 'too old',
  refused: 'no attempt can help',
  recursion: 'functions went on causing each other',
} as const;
