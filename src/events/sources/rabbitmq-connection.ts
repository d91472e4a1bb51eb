/** How RabbitMQ is connected to, and what its refusals mean. */
import { type ChannelModel, connect } from 'amqplib';
import { SwiftletError } from '../../model/errors.ts';
import type { RabbitmqSource } from '../../model/sources/rabbitmq.ts';
import { errorText, sourceFault } from './fault.ts';
import { loginOf } from './login.ts';
import type { SourceMeans } from './source.ts';
import { within } from './within.ts';

const connectLimitMs = 5_000;
const heartbeatS = 10;
const closeLimitMs = 2_000;
const usualPort = 5672;
const usualSecurePort = 5671;

export type RabbitmqSettings = Omit<RabbitmqSource, 'kind'>;

export const virtualHostOf = ({ address }: RabbitmqSettings): string => decodeURIComponent(new URL(address).pathname.slice(1)) || '/';

/** What events say of the broker: its host and its port, as a mapping of Lambda's API has them. */
export function brokerArn({ address }: RabbitmqSettings): string {
  const { protocol, hostname, port } = new URL(address);
  return `arn:swiftlet:mq:local::broker:${hostname}:${port || (protocol === 'amqps:' ? usualSecurePort : usualPort)}`;
}

/** Whoever gets it listens to its event `error`. @throws SwiftletError */
export async function connectRabbitmq(settings: RabbitmqSettings, secret: SourceMeans['secret']): Promise<ChannelModel> {
  const { protocol, hostname, port } = new URL(settings.address);
  const { user, password } = loginOf(settings, secret) ?? {};
  try {
    return await connect(
      {
        protocol: protocol.slice(0, -1),
        hostname,
        ...(port === '' ? {} : { port: Number(port) }),
        vhost: virtualHostOf(settings),
        heartbeat: heartbeatS,
        ...(user === undefined ? {} : { username: user }),
        ...(password === undefined ? {} : { password }),
      },
      { timeout: connectLimitMs },
    );
  } catch (error) {
    throw rabbitmqFault(settings, error);
  }
}

/** One that does not answer is given up when it has missed its heartbeats. */
export const closeRabbitmq = (connection: ChannelModel): Promise<void> => within(closeLimitMs, connection.close());

export function rabbitmqFault({ address, queue }: RabbitmqSettings, error: unknown): SwiftletError {
  if (error instanceof SwiftletError) return error;
  const text = errorText(error);
  if (/\b404\b|NOT.FOUND/.test(text))
    return sourceFault('SourceMissing', `the queue "${queue}" is not there at ${address}`, error, 'declare it');
  // Of why RabbitMQ closes a connection at this point, the library tells nothing.
  if (text.includes('Expected ConnectionOpenOk'))
    return sourceFault('SourceMissing', `the virtual host of ${address} is not there, or the user may not use it`, error);
  if (/\b403\b|ACCESS.REFUSED|\b530\b/.test(text)) return sourceFault('SourceRefused', `RabbitMQ at ${address} refuses Swiftlet`, error);
  if (/\b(405|406|540)\b/.test(text)) return sourceFault('SourceInvalid', `the queue "${queue}" at ${address} cannot be used`, error);
  return sourceFault('SourceUnreachable', `RabbitMQ at ${address} cannot be reached`, error);
}
