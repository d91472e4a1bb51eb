import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { signatureHeaders } from '../../src/events/webhook-signature.ts';

/** The example of the specification: its library signs it so. */
test('is the one of standardwebhooks.com', () => {
  const headers = signatureHeaders(
    'msg_p5jXN8AQM9LWM0D4loKWxJek',
    Buffer.from('{"test": 2432232314}'),
    'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
    1_614_265_330_000,
  );
  assert.deepEqual(headers, {
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  });
});

test('a secret may be plain text', () => {
  const wanted = createHmac('sha256', 'geheim').update('id.1.body').digest('base64');
  assert.equal(signatureHeaders('id', Buffer.from('body'), 'geheim', 1_999)['webhook-signature'], `v1,${wanted}`);
});
