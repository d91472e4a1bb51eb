/** Who may send to the Lambda API, as gateways and control decide it. */
import assert from 'node:assert/strict';
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { test } from 'node:test';
import aws4 from 'aws4';
import { KeyRing } from '../../src/gateway/lambda/key-ring.ts';
import { LambdaError } from '../../src/lambda/lambda-error.ts';
import { Senders } from '../../src/lambda/senders.ts';
import { accessKeyIdOf, dayKeyOf } from '../../src/model/access-key.ts';
import type { Caller } from '../../src/model/rights.ts';

const id = '0123456789abcdef';
const secretAccessKey = 'a-secret';
const now = Date.UTC(2026, 0, 31, 12);
const body = Buffer.from('{}');
const caller: Caller = { id, kind: 'token', grants: [{ role: 'invoker', tenant: 'default' }] };

function opened({ isTold = true, isKnown = true } = {}) {
  const keys = new KeyRing();
  if (isTold) keys.take({ keys: [{ id, days: { '20260131': dayKeyOf(secretAccessKey, '20260131').toString('base64') } }] });
  return new Senders({ keys, callerOf: (asked) => (isKnown && asked === id ? caller : undefined), now: () => now });
}

function requestBy(accessKeyId: string, secret: string, headers: Record<string, string> = {}): IncomingMessage {
  const made = aws4.sign(
    {
      host: 'localhost',
      service: 'lambda',
      region: 'us-east-1',
      method: 'POST',
      path: '/2015-03-31/functions/f/invocations',
      body: body.toString(),
      headers: { 'X-Amz-Date': '20260131T120000Z', ...headers },
    },
    { accessKeyId, secretAccessKey: secret },
  );
  const request = new IncomingMessage(new Socket());
  const all = Object.entries(made.headers ?? {});
  request.method = 'POST';
  request.url = made.path ?? '';
  request.rawHeaders = all.flatMap(([name, value]) => [name, String(value)]);
  request.headers = Object.fromEntries(all.map(([name, value]) => [name.toLowerCase(), String(value)]));
  return request;
}

function typeOf(senders: Senders, request: IncomingMessage): string {
  try {
    return senders.verify(senders.claimOf(request), request, body).id;
  } catch (error) {
    return error instanceof LambdaError ? error.type : String(error);
  }
}
const right = () => requestBy(accessKeyIdOf(id), secretAccessKey);
const wrong = () => requestBy(accessKeyIdOf(id), 'another');

test('a key is its token: revoked or expired it opens nothing, and a gateway that was told nothing says so', () => {
  assert.equal(typeOf(opened(), right()), id);
  assert.equal(typeOf(opened(), wrong()), 'InvalidSignatureException');
  assert.equal(typeOf(opened({ isKnown: false }), right()), 'UnrecognizedClientException');
  assert.equal(typeOf(opened(), requestBy('AKIAIOSFODNN7EXAMPLE', secretAccessKey)), 'UnrecognizedClientException');
  assert.equal(typeOf(opened({ isTold: false }), right()), 'ServiceUnavailableException');
});

test('a hash of the body that the request tells has to be the body’s', () => {
  const told = requestBy(accessKeyIdOf(id), secretAccessKey, { 'X-Amz-Content-Sha256': 'UNSIGNED-PAYLOAD' });
  assert.equal(typeOf(opened(), told), 'InvalidSignatureException');
});

test('after thirty wrong signatures there is a wait; a right one passes even then', () => {
  const senders = opened();
  for (let count = 0; count < 30; count++) assert.equal(typeOf(senders, wrong()), 'InvalidSignatureException');
  assert.equal(typeOf(senders, wrong()), 'TooManyRequestsException');
  assert.equal(typeOf(senders, right()), id);
});
