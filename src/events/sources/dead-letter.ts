/** A message that no attempt could deal with, as a dead letter: the event that has it alone, so that it can be redriven. */
import { createHash } from 'node:crypto';
import type { EventError } from '../../wire/event-calls.ts';
import { derivedId } from '../derived-id.ts';
import type { NewEvent } from '../event-log.ts';
import type { Message } from './source.ts';
import type { SourceRef } from './source-store.ts';

export interface DeadMessage {
  readonly source: SourceRef;
  readonly message: Message;
  readonly attempts: number;
  readonly error: EventError;
}

/**
 * @param event what the function gets of it
 * @returns with the same id each time, so that a message that comes again after a kill is one dead letter
 */
export function deadLetterOf({ source, message, attempts, error }: DeadMessage, event: object, nowMs: number): NewEvent {
  const { tenant, function: name } = source;
  const digest = createHash('sha256')
    .update(JSON.stringify([tenant, name, source.source, message.partition, message.id, message.sentMs ?? 0]))
    .update(message.body)
    .digest();
  return {
    id: derivedId(message.sentMs ?? nowMs, digest),
    tenant,
    function: name,
    acceptedMs: nowMs,
    request: { kind: 'event', method: 'POST', target: '/', sourceIp: '', headers: [], reportsItems: true },
    body: Buffer.from(JSON.stringify(event)),
    end: { kind: 'dead-lettered', attempts, atMs: nowMs, reason: reasonOf(error), error },
  };
}

const reasonOf = ({ code }: EventError): 'attempts' | 'refused' => (code === 'RequestTooLarge' ? 'refused' : 'attempts');
