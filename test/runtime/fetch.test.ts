/** Handlers in the web's form: bodies that stream both ways, and callers who hang up. */
import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { nodeRuntimeNames } from '../../src/model/runtimes.ts';
import { frame, initialCreditBytes } from '../../src/wire/instance-protocol.ts';
import { RuntimeUnderTest } from './runtime-under-test.ts';

const chunkBytes = 64 * 1024;

for (const runtime of nodeRuntimeNames) {
  suite(runtime, () => {
    const tested = new RuntimeUnderTest(runtime);
    const { link } = tested;
    const ready = tested.init('fetches', { environment: { MARK: 'mine' } });
    after(() => tested[Symbol.asyncDispose]());

    test('the request is the caller’s; environment and context come after it', async () => {
      await ready;
      const headers = ['host', 'fn.example', 'x-forwarded-proto', 'https', 'x-a', '1', 'x-a', '2'];
      const { body } = await link.call('/request?a=b', { method: 'PATCH', headers, body: 'sent', id: 'id-9' });
      assert.deepEqual(JSON.parse(body.toString()), {
        method: 'PATCH',
        url: 'https://fn.example/request?a=b',
        headers: [
          ['host', 'fn.example'],
          ['x-a', '1, 2'],
          ['x-forwarded-proto', 'https'],
        ],
        body: 'sent',
        mark: 'mine',
        id: 'id-9',
      });
    });

    test('a Host that is none does no harm', async () => {
      await ready;
      const { body } = await link.call('/request', { headers: ['host', 'a b', 'x-forwarded-proto', 'javascript'] });
      assert.equal((JSON.parse(body.toString()) as { url: string }).url, 'http://localhost/request');
    });

    for (const size of [0, 1, chunkBytes, 300_000, 5_000_000]) {
      for (const unknownLength of [false, true]) {
        test(`${size} bytes go in and come back${unknownLength ? ', their number unknown before' : ''}`, async () => {
          await ready;
          const body = Buffer.alloc(size, 'streamed ');
          const answer = await link.call('/echo', { method: 'POST', body, unknownLength });
          assert.deepEqual([answer.status, answer.headers], [202, ['content-type', 'application/x-echo']]);
          assert.ok(answer.body.equals(body));
        });
      }
    }

    test('a body that is read slowly is not sent beyond its credit', async () => {
      await ready;
      const stream = link.open('/ignores', { unknownLength: true, method: 'POST' });
      link.send(frame.requestBody, stream, Buffer.alloc(chunkBytes));
      assert.equal((await link.answer(stream)).body.toString(), 'ignored');
    });

    test('what is read makes room for more', async () => {
      await ready;
      const stream = link.open('/count', { unknownLength: true, method: 'POST' });
      const total = 3 * initialCreditBytes;
      let credit = initialCreditBytes;
      for (let sent = 0; sent < total; sent += chunkBytes) {
        while (credit < chunkBytes) credit += (await link.next(stream, frame.requestCredit)).payload.readUInt32BE(0);
        link.send(frame.requestBody, stream, Buffer.alloc(chunkBytes));
        credit -= chunkBytes;
      }
      link.send(frame.requestEnd, stream);
      assert.equal((await link.answer(stream)).body.toString(), String(total));
    });

    test('a body that comes with GET is dropped, and the handler runs once', async () => {
      await ready;
      const { body } = await link.call('/request', { method: 'GET', body: Buffer.alloc(600_000), unknownLength: true });
      assert.equal((JSON.parse(body.toString()) as { body: string }).body, '');
    });

    test('cookies come one by one', async () => {
      await ready;
      const { status, headers } = await link.call('/cookies');
      assert.deepEqual([status, headers], [204, ['set-cookie', 'a=1', 'set-cookie', 'b=2']]);
    });

    test('a redirect is an answer', async () => {
      await ready;
      const { status, headers } = await link.call('/redirect');
      assert.deepEqual([status, headers], [303, ['location', 'http://localhost/elsewhere']]);
    });

    test('an answer that is made bit by bit', async () => {
      await ready;
      assert.equal((await link.call('/generator')).body.toString(), 'one two');
    });

    test('an answer goes no further than the other side takes it', async () => {
      await ready;
      const stream = link.open('/large');
      let came = 0;
      while (came < initialCreditBytes) came += (await link.next(stream, frame.responseBody)).payload.length;
      assert.equal(came, initialCreditBytes);
      await link.call('/cancelled');
      link.sendCredit(stream, 1_000);
      assert.equal((await link.next(stream, frame.responseBody)).payload.length, 1_000);
      link.sendCredit(stream, 10_000_000);
      assert.equal((await link.answer(stream)).body.length, 3 * 1024 * 1024 - initialCreditBytes - 1_000);
    });

    test('whoever hangs up ends the answer, even one that waits for ever', async () => {
      await ready;
      const stream = link.open('/endless');
      await link.next(stream, frame.responseBody);
      link.send(frame.cancel, stream);
      await link.next(stream, frame.done);
      assert.equal((await link.call('/cancelled')).body.toString(), 'yes');
    });

    test('whoever hangs up ends an answer that is held back', async () => {
      await ready;
      const stream = link.open('/floods');
      await link.next(stream, frame.responseBody);
      link.send(frame.cancel, stream);
      await link.next(stream, frame.done);
    });

    test('a handler learns by its signal that the caller hung up', async () => {
      await ready;
      const stream = link.open('/signal');
      await link.call('/cancelled');
      link.send(frame.cancel, stream);
      const { failure } = await link.answer(stream);
      assert.deepEqual([failure?.type, failure?.message], ['AbortError', 'the caller hung up']);
    });

    test('a caller who hangs up while sending ends its invocation', async () => {
      await ready;
      const stream = link.open('/request', { body: 'never sent whole' });
      link.send(frame.cancel, stream);
      await link.next(stream, frame.done);
    });

    test('a gateway that is gone has hung up on all', async () => {
      await ready;
      const other = tested.connect();
      const stream = other.open('/endless');
      await other.next(stream, frame.responseBody);
      other.close();
      const deadline = performance.now() + 2_000;
      while ((await link.call('/cancelled')).body.toString() !== 'yes') assert.ok(performance.now() < deadline);
    });

    const failing: [path: string, code: string, message: RegExp][] = [
      ['text', 'InvalidResponse', /returned a string; it must return a Response/],
      ['nothing', 'InvalidResponse', /returned nothing/],
      ['error', 'InvalidResponse', /status code is 0/],
      ['odd-chunk', 'InvalidResponse|HandlerError', /chunk/],
      ['breaks', 'HandlerError', /the source ran dry/],
    ];
    for (const [path, code, message] of failing) {
      test(`a fetch that fails: ${path}`, async () => {
        await ready;
        const { failure } = await link.call(`/${path}`);
        assert.match(failure?.code ?? '', new RegExp(`^(?:${code})$`));
        assert.match(failure?.message ?? '', message);
      });
    }
  });
}
