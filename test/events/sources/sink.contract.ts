/** What every queue promises that events are sent to, whichever it is, over its real server. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Sink } from '../../../src/events/sources/sink.ts';
import type { SourceFault } from '../../../src/events/sources/source.ts';

export interface SinkUnderTest {
  readonly open: () => Promise<Sink>;
  /** The bodies that the queue has, in their order. */
  readonly bodies: () => Promise<readonly string[]>;
  /** What cannot be sent to, and why; it is said when it is opened, or at the first message. */
  readonly faulty: Readonly<Partial<Record<SourceFault, () => Promise<Sink>>>>;
  readonly kill: () => Promise<void>;
  readonly start: () => Promise<void>;
}

const message = (id: string) => ({ id, body: Buffer.from(`{"id":"${id}"}`), contentType: 'application/json' });
const ids = ['a', 'b', 'c'];

async function sendOne(open: () => Promise<Sink>): Promise<void> {
  await using sink = await open();
  await sink.send(message('one'));
}

export function sinkContract(kind: string, under: () => SinkUnderTest): void {
  describe(`the queue ${kind} as a destination`, () => {
    it('has what it acknowledged, to the byte, also over a kill; whoever sends meanwhile is told, and another connection goes on', async () => {
      const { open, bodies, kill, start } = under();
      {
        await using sink = await open();
        await Promise.all(ids.slice(0, 2).map((id) => sink.send(message(id))));
        await kill();
        await assert.rejects(sink.send(message('lost')), { code: 'SourceUnreachable' });
      }
      await assert.rejects(open(), { code: 'SourceUnreachable' });
      await start();
      await using sink = await open();
      await sink.send(message('c'));
      assert.deepEqual(
        (await bodies()).toSorted(),
        ids.map((id) => `{"id":"${id}"}`),
      );
    });

    it('says why nothing can be sent', async () => {
      for (const [code, open] of Object.entries(under().faulty)) await assert.rejects(sendOne(open), { code });
    });
  });
}
