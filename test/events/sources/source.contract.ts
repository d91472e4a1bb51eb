/** What every source of events promises, whichever it is, over its real server. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import type { Message, Source, SourceDriver, SourceMeans, Wanted } from '../../../src/events/sources/source.ts';
import { SwiftletError } from '../../../src/model/errors.ts';

/** What a test sends. */
export interface Sent {
  readonly body: string | Uint8Array;
  readonly key?: string;
}

/** Something to consume that nobody has used yet: a queue, a topic, a stream. */
export interface Place {
  /** A driver for it; with another consumer's name by `means`. */
  driver(means?: Partial<SourceMeans>): SourceDriver;
  /** Resolves when the server has them all, in this order. */
  send(messages: readonly Sent[]): Promise<void>;
}

export interface ServerUnderTest extends AsyncDisposable {
  /** Called for each test. */
  place(): Promise<Place>;
  /** Drivers that cannot be opened: nobody listens at their address; a wrong password; what they name is not there. */
  readonly away?: SourceDriver;
  readonly refused?: SourceDriver;
  readonly missing?: SourceDriver;
  /** Ends the server by SIGKILL, and starts it again with its data and address. */
  readonly kill?: () => Promise<void>;
  readonly start?: () => Promise<void>;
}

/** What a kind cannot do is not asked of it, and stands in its documentation. */
export interface Abilities {
  /** Messages of a partition come in the order in which they were sent. */
  readonly isOrdered: boolean;
  /** Messages that were sent before the source was opened are there: `earliest` means something. */
  readonly hasPast: boolean;
  /** It knows when each was sent, as exactly as this: a start at a time means something. By default not. */
  readonly tickMs?: number;
  /** What was given back comes before what is behind it. */
  readonly givesBackFirst: boolean;
  readonly hasLag: boolean;
  /** A message has the same id when it comes again. */
  readonly hasStableIds: boolean;
  /** Its messages have the keys that they were sent with. */
  readonly hasKeys: boolean;
  /** What a large message has; 10,000 bytes by default. */
  readonly largeBytes?: number;
}

const mebibyte = 1024 * 1024;
/** As long as a server may take to notice that a consumer is gone and to give out its messages again. */
const redeliveredWithinMs = 20_000;
const quietMs = 300;
export const mostInTests = { messages: 100, bytes: 16 * mebibyte } as const;

const wantedOf = (change: Partial<Wanted> = {}): Wanted => ({ ...mostInTests, except: new Set(), ...change });
const numbers = (count: number, from = 0): Sent[] =>
  Array.from({ length: count }, (_, at) => ({ body: JSON.stringify({ n: from + at }), key: `k${(from + at) % 3}` }));
const textOf = ({ body }: Message): string => Buffer.from(body).toString();
const bodiesOf = (messages: readonly Message[]): string[] => messages.map(textOf);
const textsOf = (sent: readonly Sent[]): string[] => sent.map(({ body }) => String(body));
const sorted = (texts: readonly string[]): string[] => [...texts].sort();

/** Takes until there are so many, or the time is over. */
export async function take(source: Source, count: number, wanted: Partial<Wanted> = {}, limitMs = redeliveredWithinMs): Promise<Message[]> {
  const taken: Message[] = [];
  const limit = AbortSignal.timeout(limitMs);
  while (taken.length < count && !limit.aborted) {
    taken.push(...(await source.next(wantedOf({ messages: Math.min(mostInTests.messages, count - taken.length), ...wanted }), limit)));
  }
  return taken;
}

/** What comes although nothing should. */
const takeNothing = (source: Source): Promise<readonly Message[]> => source.next(wantedOf(), AbortSignal.timeout(quietMs));

const openSource = (driver: SourceDriver): Promise<Source> => driver.open(AbortSignal.timeout(redeliveredWithinMs));

const isFault =
  (...codes: string[]) =>
  (error: unknown): boolean =>
    error instanceof SwiftletError && codes.includes(error.code);

/** @param start starts the server, once for all tests */
export function sourceContract(kind: string, abilities: Abilities, start: () => Promise<ServerUnderTest>): void {
  describe(`the source ${kind}`, () => {
    let server: ServerUnderTest;
    before(async () => (server = await start()));
    after(() => server[Symbol.asyncDispose]());

    it('gives out what was sent, to the byte, and tells it as JSON', async () => {
      const place = await server.place();
      await using source = await openSource(place.driver());
      const sent: Sent[] = [
        { body: '{"n":1}', key: 'k' },
        { body: Buffer.from([0, 0xff, 0xfe, 10]), key: 'k' },
        { body: 'plain é', key: 'k' },
      ];
      await place.send(sent);
      const taken = await take(source, sent.length);
      const hex = (bytes: readonly (string | Uint8Array)[]) => sorted(bytes.map((one) => Buffer.from(one).toString('hex')));
      assert.deepEqual(hex(taken.map(({ body }) => body)), hex(sent.map(({ body }) => body)));
      assert.equal(new Set(taken.map(({ id }) => id)).size, sent.length);
      for (const message of taken) {
        assert.deepEqual(JSON.parse(JSON.stringify(message.record())), message.record());
        assert.ok(message.partition.length <= 255);
      }
      const event = place.driver().eventOf(taken);
      assert.deepEqual(JSON.parse(JSON.stringify(event)), event);
      await source.acknowledge(taken);
    });

    it('gives out no more than is wanted, in messages and in bytes', async () => {
      const place = await server.place();
      await using source = await openSource(place.driver());
      const largeBytes = abilities.largeBytes ?? 10_000;
      const large = 'x'.repeat(largeBytes);
      await place.send(Array.from({ length: 6 }, () => ({ body: large })));
      const first = await take(source, 1, { messages: 2 });
      assert.ok(first.length <= 2, `${first.length} messages`);
      const few = await source.next(wantedOf({ bytes: largeBytes / 2 }), AbortSignal.timeout(redeliveredWithinMs));
      assert.equal(few.length, 1, 'one that is larger than what is wanted comes alone');
      const rest = await take(source, 6 - first.length - few.length);
      assert.equal(rest.length, 6 - first.length - few.length);
      await source.acknowledge([...first, ...few, ...rest]);
    });

    it('waits for a message, and gives up when it is told to', async () => {
      const place = await server.place();
      await using source = await openSource(place.driver());
      assert.deepEqual(await takeNothing(source), []);
      const waiting = source.next(wantedOf(), AbortSignal.timeout(redeliveredWithinMs));
      await place.send([{ body: 'late' }]);
      const taken = await waiting;
      assert.deepEqual(bodiesOf(taken), ['late']);
      await source.acknowledge(taken);
    });

    it('loses nothing when it is told again and again to give up', async () => {
      const place = await server.place();
      await using source = await openSource(place.driver());
      const sent = numbers(20);
      const sending = (async () => {
        for (const one of sent) await place.send([one]);
      })();
      const taken: Message[] = [];
      const until = performance.now() + redeliveredWithinMs;
      while (taken.length < sent.length && performance.now() < until)
        taken.push(...(await source.next(wantedOf({ messages: 2 }), AbortSignal.timeout(5))));
      await sending;
      assert.deepEqual(sorted(bodiesOf(taken)), sorted(textsOf(sent)));
      await source.acknowledge(taken);
    });

    it('does not give out again what was acknowledged, to nobody', async () => {
      const place = await server.place();
      const driver = place.driver();
      {
        await using source = await openSource(driver);
        await place.send(numbers(5));
        await source.acknowledge(await take(source, 5));
        assert.deepEqual(bodiesOf(await takeNothing(source)), []);
      }
      await using next = await openSource(driver);
      assert.deepEqual(bodiesOf(await takeNothing(next)), []);
    });

    it('takes an acknowledgement in any order', async () => {
      const place = await server.place();
      const driver = place.driver();
      {
        await using source = await openSource(driver);
        await place.send(numbers(6));
        const taken = await take(source, 6);
        await Promise.all([
          source.acknowledge(taken.slice(4)),
          source.acknowledge(taken.slice(2, 4)),
          source.acknowledge(taken.slice(0, 2)),
        ]);
      }
      await using next = await openSource(driver);
      assert.deepEqual(bodiesOf(await takeNothing(next)), []);
    });

    it('gives out again at once what was given back', async () => {
      const place = await server.place();
      await using source = await openSource(place.driver());
      const sent = numbers(4);
      await place.send(sent);
      const taken = await take(source, 4);
      await source.giveBack(taken);
      const again = await take(source, 4, {}, 5_000);
      assert.deepEqual(sorted(bodiesOf(again)), sorted(textsOf(sent)));
      if (abilities.hasStableIds) assert.deepEqual(sorted(again.map(({ id }) => id)), sorted(taken.map(({ id }) => id)));
      await source.acknowledge(again);
    });

    if (abilities.givesBackFirst) {
      it('gives out what was given back before what is behind it', async () => {
        const place = await server.place();
        await using source = await openSource(place.driver());
        const sent = numbers(6).map(({ body }) => ({ body, key: 'k' }));
        await place.send(sent);
        const taken = await take(source, 2);
        await source.giveBack(taken.slice(1));
        const rest = await take(source, 5);
        assert.deepEqual(bodiesOf(rest), textsOf(sent).slice(1));
        await source.acknowledge([...taken.slice(0, 1), ...rest]);
      });
    }

    if (abilities.isOrdered) {
      it('keeps the order of a partition', async () => {
        const place = await server.place();
        await using source = await openSource(place.driver());
        const sent = numbers(250);
        await place.send(sent);
        const taken: Message[] = [];
        // A server that keeps a window sends no more than that while nothing is acknowledged.
        while (taken.length < sent.length) {
          const some = await take(source, Math.min(50, sent.length - taken.length));
          if (some.length === 0) break;
          await source.acknowledge(some);
          taken.push(...some);
        }
        assert.equal(taken.length, sent.length);
        for (const partition of new Set(taken.map((message) => message.partition))) {
          const came = bodiesOf(taken.filter((message) => message.partition === partition));
          const inOrder = textsOf(sent).filter((text) => came.includes(text));
          assert.deepEqual(came, inOrder);
        }
      });
    }

    if (abilities.hasKeys) {
      it('tells each message’s key, and keeps those of a key in one partition', async () => {
        const place = await server.place();
        await using source = await openSource(place.driver());
        const sent = numbers(9);
        await place.send(sent);
        const taken = await take(source, sent.length);
        const keyOf = new Map(sent.map(({ body, key }) => [body, key]));
        for (const message of taken) assert.equal(message.key, keyOf.get(textOf(message)));
        for (const key of new Set(taken.map((message) => message.key)))
          assert.equal(new Set(taken.filter((message) => message.key === key).map(({ partition }) => partition)).size, 1);
        await source.acknowledge(taken);
      });
    }

    if (abilities.hasPast) {
      it('begins where it is told to, and goes on where it was', async () => {
        const place = await server.place();
        await place.send(numbers(3));
        {
          await using earliest = await openSource(place.driver({ consumer: 'from-earliest', start: { kind: 'earliest' } }));
          const taken = await take(earliest, 3);
          assert.deepEqual(sorted(bodiesOf(taken)), sorted(textsOf(numbers(3))));
          await earliest.acknowledge(taken);
        }
        const latest = place.driver({ consumer: 'from-latest', start: { kind: 'latest' } });
        {
          await using source = await openSource(latest);
          assert.deepEqual(bodiesOf(await takeNothing(source)), []);
        }
        await place.send(numbers(2, 3));
        await using source = await openSource(latest);
        const taken = await take(source, 2);
        assert.deepEqual(sorted(bodiesOf(taken)), sorted(textsOf(numbers(2, 3))), 'what came while it was closed is there');
        await source.acknowledge(taken);
      });
    }

    if (abilities.tickMs !== undefined) {
      const { tickMs } = abilities;
      it('begins at a time', async () => {
        const place = await server.place();
        await place.send(numbers(2));
        await setTimeout(tickMs);
        const atMs = Date.now();
        await setTimeout(tickMs);
        await place.send(numbers(2, 2));
        await using source = await openSource(place.driver({ consumer: 'from-a-time', start: { kind: 'at', atMs } }));
        const taken = await take(source, 2);
        assert.deepEqual(sorted(bodiesOf(taken)), sorted(textsOf(numbers(2, 2))));
        await source.acknowledge(taken);
      });
    }

    if (abilities.hasLag) {
      it('tells its lag', async () => {
        const place = await server.place();
        await using source = await openSource(place.driver());
        await place.send(numbers(10));
        const taken = await take(source, 4);
        assert.equal(taken.length, 4);
        await source.acknowledge(taken);
        let lag = await source.lag();
        for (const until = performance.now() + 5_000; lag !== 6 && performance.now() < until; lag = await source.lag())
          await setTimeout(20);
        assert.equal(lag, 6);
      });
    }

    it('says that nobody answers, that it is not let in, that something is not there', async () => {
      if (server.away !== undefined) await assert.rejects(openSource(server.away), isFault('SourceUnreachable'));
      if (server.refused !== undefined) await assert.rejects(openSource(server.refused), isFault('SourceRefused'));
      if (server.missing !== undefined) await assert.rejects(openSource(server.missing), isFault('SourceMissing'));
    });

    it('gives up opening when it is told to', async () => {
      const place = await server.place();
      await assert.rejects(async () => {
        await using _source = await place.driver().open(AbortSignal.abort(new Error('not any more')));
      });
    });

    it('gives out to the next one what its holder had when it was closed', async () => {
      const place = await server.place();
      const driver = place.driver();
      if (!driver.keepsMessages) return;
      const source = await openSource(driver);
      const sent = numbers(5);
      await place.send(sent);
      const taken = await take(source, 5);
      await source.acknowledge(taken.slice(0, 2));
      await source[Symbol.asyncDispose]();
      await using next = await openSource(driver);
      const again = await take(next, 3);
      assert.deepEqual(sorted(bodiesOf(again)), sorted(bodiesOf(taken.slice(2))));
      await next.acknowledge(again);
    });

    it('breaks when its server is killed, and the next one gets what was not acknowledged', async () => {
      const { kill, start: startAgain } = server;
      if (kill === undefined || startAgain === undefined) return;
      const place = await server.place();
      const driver = place.driver();
      const source = await openSource(driver);
      const sent = numbers(5);
      await place.send(sent);
      const taken = await take(source, 5);
      await source.acknowledge(taken.slice(0, 2));
      const waiting = assert.rejects(async () => {
        for (;;) await source.next(wantedOf(), AbortSignal.timeout(redeliveredWithinMs));
      }, isFault('SourceUnreachable'));
      await kill();
      await waiting;
      await assert.rejects(source.acknowledge(taken.slice(2)));
      await source.giveBack(taken.slice(2));
      await source[Symbol.asyncDispose]();
      await assert.rejects(openSource(driver), isFault('SourceUnreachable'));
      await startAgain();
      if (!driver.keepsMessages) return;
      await using next = await openSource(driver);
      const again: Message[] = [];
      const left = () => bodiesOf(taken.slice(2)).filter((body) => !bodiesOf(again).includes(body));
      const limit = AbortSignal.timeout(redeliveredWithinMs);
      // What was acknowledged may come, too: few servers have that on their disk at once.
      while (left().length > 0 && !limit.aborted) again.push(...(await next.next(wantedOf(), limit)));
      assert.deepEqual(left(), [], 'what was not acknowledged comes again');
      await next.acknowledge(again);
    });
  });
}
