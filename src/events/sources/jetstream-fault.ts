import { JetStreamApiCodes, JetStreamApiError } from '@nats-io/jetstream';
import { SwiftletError } from '../../model/errors.ts';
import type { JetStreamSource } from '../../model/sources/nats.ts';
import { natsFault } from './nats-connection.ts';

export const hasCode = (error: unknown, code: JetStreamApiCodes): boolean => error instanceof JetStreamApiError && error.code === code;

/** What went wrong, as a fault of sources. */
export function jetStreamFault(error: unknown, settings: JetStreamSource): SwiftletError {
  const { stream } = settings;
  const where = settings.servers.join(', ');
  if (hasCode(error, JetStreamApiCodes.StreamNotFound))
    return new SwiftletError('SourceMissing', `NATS at ${where} has no stream ${stream}; make it, or correct "stream"`);
  if (hasCode(error, JetStreamApiCodes.ConsumerNotFound))
    return new SwiftletError('SourceUnreachable', `the consumer of the stream ${stream} was removed; it is made again`);
  if (hasCode(error, JetStreamApiCodes.JetStreamNotEnabledForAccount) || (error instanceof Error && error.name === 'JetStreamNotEnabled'))
    return new SwiftletError('SourceInvalid', `NATS at ${where} has no JetStream, or this account may not use it; start it with -js`);
  if (error instanceof JetStreamApiError)
    return new SwiftletError('SourceInvalid', `JetStream refuses the consumer of the stream ${stream}: ${error.message}`);
  return natsFault(error, settings);
}
