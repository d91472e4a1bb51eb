import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Backlog } from '../../src/gateway/http/backlog.ts';

test('what was added is taken once, in order, in one piece', () => {
  const backlog = new Backlog();
  assert.equal(backlog.take(), undefined);
  const pieces = Array.from({ length: 3_000 }, (_, at) => Buffer.from(`${at},`));
  const added = pieces.map((piece) => backlog.add(piece));
  assert.equal(added[0], 2);
  const taken = backlog.take();
  assert.deepEqual([taken?.toString(), taken?.length], [Buffer.concat(pieces).toString(), added.at(-1)]);
  assert.equal(backlog.take(), undefined);
});

test('what was taken stays as it was', () => {
  const backlog = new Backlog();
  const piece = Buffer.from('one');
  backlog.add(piece);
  piece.fill('x');
  const taken = backlog.take();
  backlog.add(Buffer.from('two'));
  assert.equal(taken?.toString(), 'one');
});
