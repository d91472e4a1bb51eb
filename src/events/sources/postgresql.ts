/**
 * Changes of PostgreSQL's tables by logical replication. A publication is one partition, in the order of commits. A replication slot
 * keeps the place: it is moved behind a transaction when everything up to its end was acknowledged.
 */
import { createHash } from 'node:crypto';
import { Socket } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import type { Client } from 'pg';
import { LogicalReplicationService, type Pgoutput, PgoutputPlugin } from 'pg-logical-replication';
import { SwiftletError } from '../../model/errors.ts';
import type { PostgresqlSource as PostgresqlSettings } from '../../model/sources/postgresql.ts';
import { errorCode } from './fault.ts';
import { Inbox } from './inbox.ts';
import { type Change, messageOf, type Transaction } from './postgresql-change.ts';
import { clientConfig, connectTo, endedBy, faultOf } from './postgresql-connection.ts';
import { queueEvent } from './records.ts';
import { SettledPrefix } from './settled-prefix.ts';
import { within } from './within.ts';
import type { Message, Source, SourceKind, SourceMeans, Wanted } from './source.ts';

/** PostgreSQL ends a connection that tells it nothing for a minute. */
const statusEveryMs = 10_000;
/** A slot stays in use for a moment when the one who used it is gone. */
const slotFreeWithinMs = 5_000;
const slotInUse = '55006';
const againMs = 50;
const closeLimitMs = 1_000;

export const sourceKind: SourceKind<PostgresqlSettings> = {
  driver: (settings, means) => ({
    keepsMessages: true,
    dataKey: 'body',
    open: (signal) => openPostgresql(settings, means, signal),
    eventOf: queueEvent,
  }),
};

async function openPostgresql(settings: PostgresqlSettings, means: SourceMeans, signal: AbortSignal): Promise<Source> {
  signal.throwIfAborted();
  const slot = slotName(means.consumer);
  const confirmedLsn = await prepareSlot(settings, means, slot, signal);
  for (const until = performance.now() + slotFreeWithinMs; ; ) {
    const source = new PostgresqlSource(settings, means, confirmedLsn);
    try {
      await source.begin(slot, signal);
      signal.throwIfAborted();
      return source;
    } catch (error) {
      await source[Symbol.asyncDispose]();
      if (signal.aborted || !isInUse(error) || performance.now() > until) throw faultOf(settings, error);
      await setTimeout(againMs, undefined, { signal });
    }
  }
}

const isInUse = (error: unknown): boolean =>
  errorCode(error) === slotInUse || (error instanceof SwiftletError && errorCode(error.cause) === slotInUse);

/** Slots have names of at most 63 small letters, digits and underscores. */
const slotName = (consumer: string): string =>
  `swiftlet_${consumer.toLowerCase().replace(/\W|-/g, '_').slice(0, 36)}_${createHash('sha256').update(consumer).digest('hex').slice(0, 16)}`;

/** Makes the slot when there is none. @returns up to where it was acknowledged @throws SwiftletError */
async function prepareSlot(settings: PostgresqlSettings, means: SourceMeans, slot: string, signal: AbortSignal): Promise<string> {
  const socket = new Socket();
  using _ending = endedBy(signal, socket);
  const client = await connectTo(settings, means, socket);
  try {
    await checkPublication(client, settings);
    const known = await client.query<{ lsn: string | null; state: string | null }>(
      'SELECT confirmed_flush_lsn::text AS lsn, wal_status AS state FROM pg_replication_slots WHERE slot_name = $1',
      [slot],
    );
    const [found] = known.rows;
    if (found?.state === 'lost') throw new SwiftletError('SourceInvalid', lostSlot(slot));
    if (typeof found?.lsn === 'string') return found.lsn;
    const made = await client.query<{ lsn: string }>("SELECT lsn::text FROM pg_create_logical_replication_slot($1, 'pgoutput')", [slot]);
    return made.rows[0]?.lsn ?? '0/0';
  } catch (error) {
    throw faultOf(settings, error);
  } finally {
    socket.destroy();
  }
}

const lostSlot = (slot: string): string =>
  `changes that were not consumed are gone: PostgreSQL removed them, as max_slot_wal_keep_size has it; begin anew with: SELECT pg_drop_replication_slot('${slot}')`;

async function checkPublication(client: Client, { publication, address }: PostgresqlSettings): Promise<void> {
  const { rows } = await client.query<{ level: string; isThere: boolean }>(
    'SELECT current_setting(\'wal_level\') AS level, EXISTS (SELECT FROM pg_publication WHERE pubname = $1) AS "isThere"',
    [publication],
  );
  if (rows[0]?.level !== 'logical')
    throw new SwiftletError(
      'SourceInvalid',
      `PostgreSQL at ${address} does not log changes of rows: set wal_level = logical, and start it again`,
    );
  if (!rows[0].isThere)
    throw new SwiftletError(
      'SourceMissing',
      `there is no publication "${publication}" at ${address}: CREATE PUBLICATION ${publication} FOR TABLE …`,
    );
}

class PostgresqlSource implements Source {
  readonly dropped = 0;
  readonly #settings: PostgresqlSettings;
  readonly #socket = new Socket();
  readonly #service: LogicalReplicationService;
  readonly #inbox: Inbox;
  /** Changes, and the ends of transactions, which are settled from the beginning; places are those ends. */
  readonly #unsettled = new SettledPrefix<string | undefined>();
  readonly #status: NodeJS.Timeout;
  #transaction: Transaction | undefined;
  #changes = 0;
  #confirmedLsn: string;

  constructor(settings: PostgresqlSettings, means: SourceMeans, confirmedLsn: string) {
    this.#settings = settings;
    this.#inbox = new Inbox(means.most);
    this.#confirmedLsn = confirmedLsn;
    // What it acknowledges by itself is what it has received, and not what was dealt with.
    this.#service = new LogicalReplicationService(clientConfig(settings, means, this.#socket), {
      acknowledge: { auto: false, timeoutSeconds: 0 },
    });
    this.#service.on('error', (error) => this.#inbox.fail(faultOf(settings, error)));
    this.#service.on('data', (_lsn, message: Pgoutput.Message) => this.#take(message));
    this.#service.on('heartbeat', (lsn, _at, isAsked) => this.#idle(lsn, isAsked));
    this.#socket.on('close', () => this.#inbox.fail(faultOf(settings, new Error('the connection ended'))));
    this.#status = setInterval(() => void this.#service.acknowledge(this.#confirmedLsn), statusEveryMs);
  }

  /** Resolves when PostgreSQL sends. */
  async begin(slot: string, signal: AbortSignal): Promise<void> {
    using _ending = endedBy(signal, this.#socket);
    const started = new Promise<void>((resolve) => this.#service.once('start', () => resolve()));
    const plugin = new PgoutputPlugin({ protoVersion: 1, publicationNames: [this.#settings.publication] });
    // It goes on until the connection ends.
    this.#service.subscribe(plugin, slot).catch((error: unknown) => this.#inbox.fail(faultOf(this.#settings, error)));
    await this.#inbox.unlessFailed(started);
  }

  async next(wanted: Wanted, signal: AbortSignal): Promise<readonly Message[]> {
    const taken = await this.#inbox.next(wanted, signal);
    if (!this.#inbox.isFull) this.#socket.resume();
    return taken;
  }

  async acknowledge(messages: readonly Message[]): Promise<void> {
    this.#inbox.throwIfFailed();
    const passed = this.#unsettled.settle(this.#inbox.settle(messages).map(({ id }) => id));
    await this.#confirm(passed.findLast((lsn) => lsn !== undefined));
  }

  giveBack(messages: readonly Message[]): Promise<void> {
    this.#inbox.giveBack(messages);
    return Promise.resolve();
  }

  /** PostgreSQL counts bytes of its log, of all tables. */
  lag(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#status);
    this.#inbox.fail(new SwiftletError('SourceUnreachable', 'the source was closed'));
    this.#socket.destroy();
    await within(closeLimitMs, this.#service.stop());
  }

  #take(message: Pgoutput.Message): void {
    if (message.tag === 'begin') {
      this.#transaction = transactionOf(message);
      this.#changes = 0;
    } else if (message.tag === 'commit') {
      this.#transaction = undefined;
      const id = message.commitEndLsn ?? '';
      this.#unsettled.add(id, id);
      void this.#confirm(this.#unsettled.settle([id]).at(-1));
    } else if (isChange(message) && this.#transaction !== undefined) {
      const change = messageOf(this.#settings.publication, this.#transaction, this.#changes++, message);
      this.#unsettled.add(change.id, undefined);
      this.#inbox.push(change);
      if (this.#inbox.isFull) this.#socket.pause();
    }
  }

  /** Nothing of ours is in the log up to here: PostgreSQL need not keep it. */
  #idle(lsn: string, isAsked: boolean): void {
    if (this.#transaction === undefined && this.#unsettled.isEmpty) void this.#confirm(lsn);
    else if (isAsked) void this.#confirm(this.#confirmedLsn);
  }

  async #confirm(lsn: string | undefined): Promise<void> {
    if (lsn === undefined) return;
    this.#confirmedLsn = lsn;
    await this.#service.acknowledge(lsn);
  }
}

const transactionOf = ({ commitLsn, xid, commitTime }: Pgoutput.MessageBegin): Transaction => ({
  commitLsn: commitLsn ?? '',
  xid,
  // Microseconds.
  committedMs: Number(commitTime.valueOf() / 1_000n),
});

const isChange = (message: Pgoutput.Message): message is Change => ['insert', 'update', 'delete', 'truncate'].includes(message.tag);
