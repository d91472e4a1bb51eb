/** MQTT 5: a session that the broker keeps, of which it sends no more messages than a window that was agreed on; they are one partition. */
import { createHash, randomUUID } from 'node:crypto';
import { connect, type IPublishPacket, type MqttClient } from 'mqtt';
import { SwiftletError } from '../../model/errors.ts';
import type { MqttSource as MqttSettings } from '../../model/sources/mqtt.ts';
import { errorCode, errorText, sourceFault } from './fault.ts';
import { Inbox } from './inbox.ts';
import { queueEvent, queueRecord } from './records.ts';
import { SettledPrefix } from './settled-prefix.ts';
import { within } from './within.ts';
import type { Message, Source, SourceKind, SourceMeans, Wanted } from './source.ts';

const connectLimitMs = 5_000;
const closeLimitMs = 2_000;
const keepAliveS = 10;
/** A session that nobody comes back to is forgotten, so that its queue does not grow for ever. */
const sessionExpiryS = 7 * 24 * 3_600;
const largestWindow = 65_535;
/** Retained messages: when the subscription is new, or never. */
const retained = { whenNew: 1, never: 2 } as const;
/** Bad user or password, and not authorised, of MQTT 5. */
const refusals: readonly (string | undefined)[] = ['134', '135', '4', '5'];

export const sourceKind: SourceKind<MqttSettings> = {
  driver: (settings, means) => ({
    keepsMessages: true,
    dataKey: 'body',
    open: (signal) => openMqtt(settings, means, signal),
    eventOf: queueEvent,
  }),
};

async function openMqtt(settings: MqttSettings, means: SourceMeans, signal: AbortSignal): Promise<Source> {
  signal.throwIfAborted();
  const { address, user, passwordVariable, topic } = settings;
  const client = connect(address, {
    protocolVersion: 5,
    clientId: sessionName(means.consumer, topic),
    clean: false,
    ...(user === undefined ? {} : { username: user }),
    ...(passwordVariable === undefined ? {} : { password: means.secret(passwordVariable) }),
    properties: { sessionExpiryInterval: sessionExpiryS, receiveMaximum: Math.min(largestWindow, means.most.messages) },
    connectTimeout: connectLimitMs,
    keepalive: keepAliveS,
    reconnectPeriod: 0,
    resubscribe: false,
  });
  const source = new MqttSource(settings, means, client);
  const begun = source.begun();
  const abort = () => void client.end(true);
  signal.addEventListener('abort', abort, { once: true });
  try {
    await begun;
    signal.throwIfAborted();
    return source;
  } catch (error) {
    await source[Symbol.asyncDispose]();
    throw error;
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** Another topic is another session: that of the one before would go on to bring what it had subscribed to. */
const sessionName = (consumer: string, topic: string): string =>
  `${consumer}-${createHash('sha256').update(topic).digest('hex').slice(0, 8)}`;

/** What the library has and its types hide: it has no public way to acknowledge a message later. */
interface LateAcknowledgement {
  _sendPacket(
    packet: { readonly cmd: 'puback'; readonly messageId: number; readonly reasonCode: number },
    sent: (error?: Error | null) => void,
  ): void;
}

class MqttSource implements Source {
  readonly #settings: MqttSettings;
  readonly #start: SourceMeans['start'];
  readonly #client: MqttClient;
  readonly #inbox: Inbox;
  /** The protocol wants messages to be acknowledged in the order in which they came. */
  readonly #unsettled = new SettledPrefix<number>();
  readonly #opened = randomUUID();
  #arrived = 0;
  #dropped = 0;

  constructor(settings: MqttSettings, means: SourceMeans, client: MqttClient) {
    this.#settings = settings;
    this.#start = means.start;
    this.#client = client;
    this.#inbox = new Inbox(means.most);
    client.on('error', (error) => this.#inbox.fail(faultOf(settings, error)));
    client.on('close', () => this.#inbox.fail(faultOf(settings, new Error('the connection ended'))));
    client.on('disconnect', ({ reasonCode }) => this.#inbox.fail(faultOf(settings, new Error(`the broker ended it (${reasonCode ?? 0})`))));
    // An error as answer: go on with the next packet, and send no acknowledgement.
    client.handleMessage = (packet, callback) => {
      this.#take(packet);
      callback(packet.qos === 0 ? undefined : new Error('it is acknowledged later'));
    };
  }

  get dropped(): number {
    return this.#dropped;
  }

  /** Resolves when it is subscribed. */
  async begun(): Promise<void> {
    const connected = new Promise<void>((resolve) => this.#client.once('connect', () => resolve()));
    await this.#inbox.unlessFailed(connected);
    const rh = this.#start.kind === 'latest' ? retained.never : retained.whenNew;
    const { topic } = this.#settings;
    try {
      const [granted] = await this.#inbox.unlessFailed(this.#client.subscribeAsync(topic, { qos: 1, rh }));
      if (granted !== undefined && granted.qos > 2) throw new Error(`the subscription to ${topic} is refused (${granted.qos})`);
    } catch (error) {
      throw error instanceof SwiftletError ? error : sourceFault('SourceRefused', `MQTT at ${this.#settings.address}`, error);
    }
  }

  next(wanted: Wanted, signal: AbortSignal): Promise<readonly Message[]> {
    return this.#inbox.next(wanted, signal);
  }

  async acknowledge(messages: readonly Message[]): Promise<void> {
    this.#inbox.throwIfFailed();
    const passed = this.#unsettled.settle(this.#inbox.settle(messages).map(({ id }) => id));
    await this.#inbox.unlessFailed(Promise.all(passed.map((messageId) => this.#acknowledge(messageId))));
  }

  giveBack(messages: readonly Message[]): Promise<void> {
    this.#inbox.giveBack(messages);
    return Promise.resolve();
  }

  /** No broker tells how many messages a session has. */
  lag(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  /** The session stays: what is not acknowledged comes again when it goes on. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#inbox.fail(new SwiftletError('SourceUnreachable', 'the source was closed'));
    const ended = this.#client.connected ? this.#client.endAsync(false) : Promise.resolve();
    await within(closeLimitMs, ended);
    await this.#client.endAsync(true);
  }

  #take(packet: IPublishPacket): void {
    // Nothing was promised for these, and the window does not count them.
    if (packet.qos === 0 && this.#inbox.isFull) {
      this.#dropped += 1;
      return;
    }
    const id = `${this.#opened}-${this.#arrived++}`;
    if (packet.qos !== 0 && packet.messageId !== undefined) this.#unsettled.add(id, packet.messageId);
    this.#inbox.push(messageOf(this.#settings, id, packet));
  }

  #acknowledge(messageId: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const client = this.#client as unknown as LateAcknowledgement;
      client._sendPacket({ cmd: 'puback', messageId, reasonCode: 0 }, (error) =>
        error === undefined || error === null ? resolve() : reject(faultOf(this.#settings, error)),
      );
    });
  }
}

function messageOf({ topic: filter }: MqttSettings, id: string, { topic, payload, qos, retain, properties }: IPublishPacket): Message {
  const body = typeof payload === 'string' ? Buffer.from(payload) : payload;
  return {
    id,
    partition: filter,
    key: topic,
    body,
    sentMs: undefined,
    record: () =>
      queueRecord({
        messageId: id,
        kind: 'mqtt',
        origin: topic,
        body,
        sentMs: undefined,
        deliveries: 1,
        key: topic,
        attributes: { qos: String(qos), retain: String(retain) },
        headers: headersOf(properties),
      }),
  };
}

/** User properties, of which a name may come several times: the last one counts. */
function headersOf(properties: IPublishPacket['properties']): Record<string, string> {
  const { contentType, userProperties = {} } = properties ?? {};
  const user = Object.entries(userProperties).flatMap(([name, value]) => [value].flat().map((one) => [name, one] as const));
  return Object.fromEntries([...(contentType === undefined ? [] : [['content-type', contentType] as const]), ...user]);
}

function faultOf({ address }: MqttSettings, error: unknown): SwiftletError {
  if (refusals.includes(errorCode(error))) return sourceFault('SourceRefused', `MQTT at ${address} refuses Swiftlet`, error);
  if (errorText(error).includes('protocol version'))
    return sourceFault('SourceInvalid', `MQTT at ${address}`, error, 'it has to speak MQTT 5');
  return sourceFault('SourceUnreachable', `MQTT at ${address} cannot be reached`, error);
}
