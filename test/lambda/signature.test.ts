/** Signatures as another implementation makes them, whole and tampered with. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import aws4 from 'aws4';
import type { SignedRequest } from '../../src/lambda/canonical-request.ts';
import { LambdaError } from '../../src/lambda/lambda-error.ts';
import { demandCurrent, isSignedWith, readSignature, sha256 } from '../../src/lambda/signature.ts';
import { accessKeyIdOf, claimedTokenId, dayKeyOf, secretOf, signatureDays } from '../../src/model/access-key.ts';

const secretAccessKey = 'p3_-Xq0123456789abcdefghijklmnopqrstuvwxyzAB';
const accessKeyId = accessKeyIdOf('0123456789abcdef');
const now = Date.UTC(2026, 0, 31, 12, 0, 0);
const minute = 60_000;

interface Sent extends SignedRequest {
  readonly body: string;
}

interface Wish {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly time?: string;
  readonly service?: string;
  readonly signQuery?: boolean;
}

/** A request as a client sends it. */
function signed({
  method = 'POST',
  path = '/2015-03-31/functions/hello/invocations',
  headers = {},
  body = '{"a":1}',
  time = '20260131T120000Z',
  service = 'lambda',
  signQuery = false,
}: Wish = {}): Sent {
  const timed = signQuery ? {} : { 'X-Amz-Date': time };
  const query = signQuery ? `${path.includes('?') ? '&' : '?'}X-Amz-Expires=60&X-Amz-Date=${time}` : '';
  const wish = { host: 'localhost:8082', service, region: 'eu-central-1', method, path: path + query, body, signQuery };
  const made = aws4.sign({ ...wish, headers: { ...headers, ...timed } }, { accessKeyId, secretAccessKey });
  const rawHeaders = Object.entries(made.headers ?? {}).flatMap(([name, value]) => [name, String(value)]);
  return { method, target: made.path ?? '', rawHeaders, body };
}

/** `ok`, or the type of what is wrong. */
function verdict({ body, ...request }: Sent, nowMs = now): string {
  try {
    const presented = readSignature(request);
    demandCurrent(presented, nowMs);
    assert.equal(presented.accessKeyId, accessKeyId);
    return isSignedWith(dayKeyOf(secretAccessKey, presented.day), presented, request, sha256(body)) ? 'ok' : 'no match';
  } catch (error) {
    assert.ok(error instanceof LambdaError, String(error));
    assert.equal(error.status, 403);
    return error.type;
  }
}

const withHeader = (sent: Sent, name: string, value: string): Sent => ({
  ...sent,
  rawHeaders: sent.rawHeaders.map((one, at) => (at % 2 === 1 && sent.rawHeaders[at - 1]?.toLowerCase() === name ? value : one)),
});

describe('a signature', () => {
  for (const [what, wish] of [
    ['of a small event', {}],
    [
      'of a name that is encoded',
      { path: '/2015-03-31/functions/arn%3Aaws%3Alambda%3Aus-east-1%3A123456789012%3Afunction%3Ahello/invocations' },
    ],
    ['of a query out of order', { path: '/2015-03-31/functions/hello/invocations?Qualifier=%24LATEST&A=%C3%A9%20%2B&A=1' }],
    ['of headers', { headers: { 'X-Amz-Invocation-Type': 'Event', 'x-amz-client-context': ' a   b ' } }],
    ['of an empty body', { body: '' }],
    ['in the query', { signQuery: true }],
    ['in a query with more', { signQuery: true, path: '/2015-03-31/functions/hello/invocations?Qualifier=beta' }],
  ] as const)
    test(`${what} is right`, () => assert.equal(verdict(signed(wish)), 'ok'));

  test('of anything else than what came is wrong', () => {
    const sent = signed({ path: '/2015-03-31/functions/hello/invocations?Qualifier=beta', headers: { 'X-Amz-Log-Type': 'None' } });
    for (const changed of [
      { ...sent, body: '{"a":2}' },
      { ...sent, method: 'PUT' },
      { ...sent, target: sent.target.replace('hello', 'other') },
      { ...sent, target: sent.target.replace('beta', 'live') },
      { ...sent, target: `${sent.target}&x=1` },
      { ...sent, target: sent.target.replace('/hello', '/./hello') },
      { ...sent, target: `${sent.target}%` },
      withHeader(sent, 'host', 'elsewhere'),
      withHeader(sent, 'x-amz-log-type', 'Tail'),
      withHeader(sent, 'x-amz-date', '20260131T120001Z'),
    ])
      assert.equal(verdict(changed), 'no match', changed.target);
    const inQuery = signed({ signQuery: true });
    assert.equal(verdict({ ...inQuery, body: '' }), 'no match');
    assert.equal(verdict({ ...inQuery, target: inQuery.target.replace('X-Amz-Expires=60', 'X-Amz-Expires=600000') }), 'no match');
  });

  test('with another key is wrong', () => {
    const { body, ...request } = signed();
    const presented = readSignature(request);
    for (const [secret, day] of [
      [`${secretAccessKey}x`, '20260131'],
      [secretAccessKey, '20260201'],
    ] as const)
      assert.ok(!isSignedWith(dayKeyOf(secret, day), presented, request, sha256(body)));
  });

  test('leaves nothing open that says what a request means', () => {
    const sent = signed();
    assert.equal(verdict({ ...sent, rawHeaders: [...sent.rawHeaders, 'X-Amz-Invocation-Type', 'DryRun'] }), 'InvalidSignatureException');
  });

  for (const [what, nowMs, wish, expected] of [
    ['five minutes old', now + 5 * minute, {}, 'ok'],
    ['older', now + 5 * minute + 1, {}, 'InvalidSignatureException'],
    ['five minutes ahead', now - 5 * minute, {}, 'ok'],
    ['further ahead', now - 5 * minute - 1, {}, 'InvalidSignatureException'],
    ['in the query, within its time and the clocks’ difference', now + 6 * minute, { signQuery: true }, 'ok'],
    ['in the query, over it', now + 6 * minute + 1, { signQuery: true }, 'InvalidSignatureException'],
    ['for another service', now, { service: 's3' }, 'InvalidSignatureException'],
  ] as const)
    test(`that is ${what}: ${expected}`, () => assert.equal(verdict(signed(wish), nowMs), expected));

  test('that is none, or half of one, says what it lacks', () => {
    const sent = signed();
    const authorization = sent.rawHeaders[sent.rawHeaders.findIndex((name) => name.toLowerCase() === 'authorization') + 1] ?? '';
    const inQuery = signed({ signQuery: true });
    for (const [changed, type] of [
      [{ ...sent, rawHeaders: ['host', 'x'] }, 'MissingAuthenticationTokenException'],
      [withHeader(sent, 'authorization', 'Bearer swt_x'), 'IncompleteSignatureException'],
      [withHeader(sent, 'authorization', authorization.replace(/, Signature=.*/, '')), 'IncompleteSignatureException'],
      [withHeader(sent, 'authorization', authorization.replace(/Signature=.*/, 'Signature=00')), 'IncompleteSignatureException'],
      [withHeader(sent, 'authorization', authorization.replace('/aws4_request', '')), 'IncompleteSignatureException'],
      [withHeader(sent, 'x-amz-date', '20260231T120000Z'), 'IncompleteSignatureException'],
      [withHeader(sent, 'x-amz-date', '20260130T120000Z'), 'InvalidSignatureException'],
      [{ ...sent, rawHeaders: [...sent.rawHeaders, 'x-amz-security-token', 'x'] }, 'UnrecognizedClientException'],
      [{ ...inQuery, target: inQuery.target.replace(/X-Amz-Expires=60&/, '') }, 'IncompleteSignatureException'],
      [{ ...inQuery, target: inQuery.target.replace('X-Amz-Expires=60', 'X-Amz-Expires=604801') }, 'IncompleteSignatureException'],
      [{ ...inQuery, target: `${inQuery.target}&X-Amz-Signature=00` }, 'IncompleteSignatureException'],
    ] as const)
      assert.equal(verdict(changed), type, `${changed.target} ${changed.rawHeaders.join(' ')}`);
  });
});

test('a key is a token in two parts', () => {
  const token = 'swt_0123456789abcdef_ab_cd-efghijklmnopqrstuvwxyz0123456789ABCDEFG';
  assert.equal(secretOf(token), 'ab_cd-efghijklmnopqrstuvwxyz0123456789ABCDEFG');
  assert.equal(claimedTokenId(accessKeyIdOf('0123456789abcdef')), '0123456789abcdef');
  assert.equal(claimedTokenId('AKIAIOSFODNN7EXAMPLE'), undefined);
});

test('a gateway can go on for a week without control, and knows the keys of what was signed a week ago', () => {
  const days = signatureDays(now);
  assert.deepEqual([days[0], days.at(-1), days.length], ['20260123', '20260208', 17]);
});
