import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LineCutter } from '../../src/relay/line-cutter.ts';
import { parseLine } from '../../src/relay/parse-line.ts';
import { takeTokens } from '../../src/model/token-bucket.ts';

const now = () => new Date(0);

test('lines are cut wherever the chunks end', () => {
  const lines: string[] = [];
  const cutter = new LineCutter(100, (line) => lines.push(line));
  for (const chunk of ['a', 'b\nc', '', '\n\nd\n', 'rest']) cutter.push(Buffer.from(chunk));
  assert.deepEqual(lines, ['ab', 'c', '', 'd']);
  cutter.end();
  assert.deepEqual(lines.at(-1), 'rest');
});

test('a line over the limit is cut with a mark, whatever its length', () => {
  const lines: string[] = [];
  const cutter = new LineCutter(10, (line) => lines.push(line));
  const chunk = Buffer.alloc(1_000_000, 'x');
  for (let count = 0; count < 100; count++) cutter.push(chunk);
  cutter.push(Buffer.from('\nnext\n'));
  assert.deepEqual(lines, ['xxxxxxxxxx… (99999990 bytes cut)', 'next']);
});

test('a runtime’s line carries level, time and request', () => {
  const line = '\x1e["warn",1000,"id-1","two\\nlines"]';
  assert.deepEqual(parseLine(line, now), { time: '1970-01-01T00:00:01.000Z', level: 'warn', message: 'two\nlines', requestId: 'id-1' });
});

for (const raw of ['plain', '\x1e', '\x1enull', '\x1e["nolevel",1,"",""]', '\x1e["info","x","",""]']) {
  test(`a line that only looks like a runtime’s is a raw one: ${JSON.stringify(raw)}`, () => {
    assert.deepEqual(parseLine(raw, now), { time: '1970-01-01T00:00:00.000Z', level: 'info', message: raw });
  });
}

test('a time no calendar has is replaced', () => {
  assert.equal(parseLine('\x1e["info",1e300,"","m"]', now).time, '1970-01-01T00:00:00.000Z');
});

test('a bucket gives its burst, then its rate', () => {
  const rate = { perSecond: 100, burst: 50 };
  let { granted, bucket } = takeTokens({ tokens: 50, at: 0 }, rate, 80, 0);
  assert.equal(granted, 50);
  ({ granted, bucket } = takeTokens(bucket, rate, 80, 100));
  assert.equal(granted, 10);
  ({ granted } = takeTokens(bucket, rate, 80, 100_000));
  assert.equal(granted, 50);
});
