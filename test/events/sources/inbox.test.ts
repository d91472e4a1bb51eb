import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Inbox } from '../../../src/events/sources/inbox.ts';
import { SettledPrefix } from '../../../src/events/sources/settled-prefix.ts';
import type { Message, Wanted } from '../../../src/events/sources/source.ts';

const message = (id: string, partition = 'p', bytes = 1): Message => ({
  id,
  partition,
  key: undefined,
  body: Buffer.alloc(bytes),
  sentMs: undefined,
  record: () => ({}),
});
const wanted = (change: Partial<Wanted> = {}): Wanted => ({ messages: 10, bytes: 100, except: new Set(), ...change });
const ids = (messages: readonly Message[]): string => messages.map(({ id }) => id).join('');
const filled = (...messages: readonly Message[]): Inbox => {
  const inbox = new Inbox({ messages: 4, bytes: 50 });
  for (const one of messages) inbox.push(one);
  return inbox;
};
const gone = new Error('gone');

describe('an inbox', () => {
  const cases: readonly { name: string; messages: Message[]; wanted: Partial<Wanted>; taken: string }[] = [
    { name: 'all, in their order', messages: [message('a'), message('b')], wanted: {}, taken: 'ab' },
    { name: 'so many', messages: [message('a'), message('b')], wanted: { messages: 1 }, taken: 'a' },
    { name: 'as many as fit', messages: [message('a', 'p', 30), message('b', 'p', 30)], wanted: { bytes: 59 }, taken: 'a' },
    { name: 'one that does not fit alone', messages: [message('a', 'p', 30), message('b')], wanted: { bytes: 2 }, taken: 'a' },
    {
      name: 'none of a partition that stands still',
      messages: [message('a', 'x'), message('b', 'y')],
      wanted: { except: new Set(['x']) },
      taken: 'b',
    },
  ];
  for (const { name, messages, wanted: change, taken } of cases)
    it(`gives out ${name}`, () => assert.equal(ids(filled(...messages).take(wanted(change))), taken));

  it('has what was given back in its old place, before what came later', () => {
    const inbox = filled(message('a'), message('b'), message('c'));
    const [a, b] = inbox.take(wanted({ messages: 2 }));
    assert.ok(a !== undefined && b !== undefined);
    inbox.giveBack([b]);
    inbox.giveBack([a]);
    assert.equal(ids(inbox.take(wanted())), 'abc');
  });

  it('settles what was given out, once', () => {
    const inbox = filled(message('a'));
    const taken = inbox.take(wanted());
    assert.equal(inbox.given, 1);
    assert.equal(ids(inbox.settle(taken)), 'a');
    assert.equal(ids(inbox.settle(taken)), '');
    inbox.giveBack(taken);
    assert.equal(inbox.size, 0);
  });

  it('waits for a message, and until it is told to give up', async () => {
    const inbox = filled();
    const waiting = inbox.next(wanted(), new AbortController().signal);
    inbox.push(message('a'));
    assert.equal(ids(await waiting), 'a');
    const stop = new AbortController();
    const vain = inbox.next(wanted(), stop.signal);
    stop.abort();
    assert.deepEqual(await vain, []);
  });

  it('says when it is full, by number and by bytes, and when there is room again', async () => {
    const inbox = filled(message('a', 'p', 60));
    assert.ok(inbox.isFull);
    const room = inbox.room();
    inbox.take(wanted());
    await room;
    for (const id of 'bcde') inbox.push(message(id));
    assert.ok(inbox.isFull);
  });

  it('tells whoever waits what it failed with, the first reason', async () => {
    const inbox = filled(message('a', 'p', 60));
    const waiting = assert.rejects(inbox.unlessFailed(new Promise(() => undefined)), gone);
    const room = inbox.room();
    inbox.fail(gone);
    inbox.fail(new Error('another'));
    await Promise.all([waiting, room]);
    await assert.rejects(inbox.next(wanted(), new AbortController().signal), gone);
    await assert.rejects(inbox.unlessFailed(Promise.resolve(1)), gone);
    assert.throws(() => inbox.throwIfFailed(), gone);
  });
});

describe('a settled prefix', () => {
  it('moves as far as nothing unsettled lies before it', () => {
    const prefix = new SettledPrefix<number>();
    for (const [place, id] of ['a', 'b', 'c'].entries()) prefix.add(id, place);
    assert.deepEqual(prefix.settle(['b']), []);
    assert.deepEqual(prefix.settle(['a']), [0, 1]);
    assert.equal(prefix.isEmpty, false);
    assert.deepEqual(prefix.settle(['c', 'unknown']), [2]);
    assert.equal(prefix.isEmpty, true);
  });
});
