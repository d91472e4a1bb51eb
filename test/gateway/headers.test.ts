import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forwardedHeaders } from '../../src/gateway/http/request-headers.ts';
import { checkHead } from '../../src/gateway/http/response-head.ts';
import { SwiftletError } from '../../src/model/errors.ts';

const ours = ['x-forwarded-for', '10.0.0.1', 'x-forwarded-proto', 'http', 'x-forwarded-host', 'h'];

test('what only the platform may say is stripped first and set last', () => {
  const raw = [
    'X-Forwarded-For',
    '1.2.3.4',
    'Forwarded',
    'for=1',
    'X-Real-IP',
    '1',
    'X-Swiftlet-Version',
    '9',
    'Accept',
    'a',
    'TE',
    'trailers',
    'Upgrade',
    'h2c',
  ];
  assert.deepEqual(forwardedHeaders(raw, undefined, '10.0.0.1', 'h'), ['accept', 'a', ...ours]);
});

test('a header that Connection names ends here', () => {
  assert.deepEqual(
    forwardedHeaders(['X-Secret', '1', 'X-Other', '2', 'Connection', 'close, X-Secret'], 'close, X-Secret', '10.0.0.1', 'h'),
    ['x-other', '2', ...ours],
  );
});

test('__proto__ is a header like any other', () => {
  assert.deepEqual(forwardedHeaders(['__proto__', 'x'], undefined, '10.0.0.1', 'h'), ['__proto__', 'x', ...ours]);
});

const head = (status: unknown, headers: unknown) => Buffer.from(JSON.stringify([status, headers]));

test('what a function says of its connection, and of the platform, is dropped', () => {
  const checked = checkHead(
    head(200, ['a', 'b', 'connection', 'close', 'x-swiftlet-version', '7', 'content-length', '5', 'upgrade', 'h2c']),
  );
  assert.deepEqual(checked, { status: 200, headers: ['a', 'b'], contentLength: 5 });
});

const bad: [what: string, payload: Buffer, code: string][] = [
  ['status 99', head(99, []), 'InvalidResponse'],
  ['status 600', head(600, []), 'InvalidResponse'],
  ['status 100', head(100, []), 'InvalidResponse'],
  ['a status in words', head('200', []), 'InvalidResponse'],
  ['CR LF in a value', head(200, ['a', 'b\r\nx: y']), 'InvalidResponse'],
  ['a name with a space', head(200, ['a b', 'c']), 'InvalidResponse'],
  ['a name without a value', head(200, ['a']), 'InvalidResponse'],
  ['a value that is no text', head(200, ['a', 1]), 'InvalidResponse'],
  ['a length in words', head(200, ['content-length', '1e3']), 'InvalidResponse'],
  ['a length below zero', head(200, ['content-length', '-1']), 'InvalidResponse'],
  ['two lengths', head(200, ['content-length', '5', 'content-length', '6']), 'InvalidResponse'],
  ['a framing of its own', head(200, ['transfer-encoding', 'chunked']), 'InvalidResponse'],
  ['framing in capitals', head(200, ['Transfer-Encoding', 'chunked']), 'InvalidResponse'],
  ['a platform header in capitals', head(200, ['X-Swiftlet-Version', '7']), 'InvalidResponse'],
  ['no JSON', Buffer.from('hello'), 'InvalidResponse'],
  ['null', Buffer.from('null'), 'InvalidResponse'],
  [
    '100,000 headers',
    head(
      200,
      Array.from({ length: 200_000 }, () => 'a'),
    ),
    'ResponseTooLarge',
  ],
  ['a header of a megabyte', head(200, ['a', 'x'.repeat(100_000)]), 'ResponseTooLarge'],
];
for (const [what, payload, code] of bad) {
  test(`a head with ${what} is refused`, () => {
    assert.throws(
      () => checkHead(payload),
      (error) => error instanceof SwiftletError && error.code === code,
    );
  });
}

test('a head that comes again is a head of its own', () => {
  const payload = () => Buffer.from(JSON.stringify([200, ['content-type', 'text/plain']]));
  const first = checkHead(payload());
  first.headers.push('x-swiftlet-request-id', 'of another');
  const bytes = payload();
  assert.deepEqual(checkHead(bytes).headers, ['content-type', 'text/plain']);
  bytes.fill(0);
  assert.deepEqual(checkHead(payload()).headers, ['content-type', 'text/plain']);
});
