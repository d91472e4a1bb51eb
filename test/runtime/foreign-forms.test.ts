/** Handlers written for other platforms, on every version of the runtime: each form, detected or declared. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { HandlerForm } from '../../src/model/function.ts';
import { nodeRuntimeNames } from '../../src/model/runtimes.ts';
import { invokeKind } from '../../src/wire/instance-protocol.ts';
import { RuntimeUnderTest } from './runtime-under-test.ts';

for (const runtime of nodeRuntimeNames) {
  suite(runtime, { concurrency: 2 }, () => {
    const open = async (handler: string, form?: HandlerForm) => {
      const tested = new RuntimeUnderTest(runtime);
      const report = await tested.init(`foreign/${handler}`, form === undefined ? {} : { form });
      if (!('initMs' in report)) {
        await tested[Symbol.asyncDispose]();
        assert.fail(JSON.stringify(report));
      }
      const http = async (target: string, { method = 'GET', type = '', body = '' } = {}) => {
        const headers = ['host', 'example.org', 'user-agent', 'tests', ...(type === '' ? [] : ['content-type', type])];
        const answer = await tested.link.call(target, { method, headers, ...(body === '' ? {} : { body }) });
        return { ...answer, text: answer.body.toString(), header: (name: string) => headerOf(answer.headers, name) };
      };
      const event = async (value: unknown) => {
        const answer = await tested.link.call('', { kind: invokeKind.event, body: JSON.stringify(value) });
        return { ...answer, text: answer.body.toString() };
      };
      return { tested, http, event, [Symbol.asyncDispose]: () => tested[Symbol.asyncDispose]() };
    };

    test('Alibaba FC: an initializer, then (event, context, callback) with the event as bytes', async () => {
      await using opened = await open('alibaba');
      const { status, text } = await opened.event({ a: 1 });
      assert.equal(status, 200);
      const { id, ...rest } = JSON.parse(text) as Record<string, unknown>;
      assert.deepEqual(rest, { a: 1, isBuffer: true, readyAt: 'tested tested', memory: 128 });
      assert.equal(typeof id, 'string');
      assert.equal((await opened.event({ a: 'text' })).text, '"plain text"');
      assert.equal((await opened.event({ a: 'bytes' })).text, '{"b":1}');
      const { failure } = await opened.event({ a: 'error' });
      assert.deepEqual([failure?.code, failure?.type, failure?.message], ['HandlerError', 'TypeError', 'no a']);
      assert.ok((await opened.tested.texts(1)).some((line) => /^took \d+$/.test(line)));
    });

    test('Alibaba FC: an initializer that fails is the init’s failure', async () => {
      await using tested = new RuntimeUnderTest(runtime);
      const report = await tested.init('foreign/alibaba-fails');
      assert.ok('code' in report && report.code === 'InitError' && report.message === 'no database', JSON.stringify(report));
    });

    test('Alibaba FC: a request is an event of the HTTP trigger; a text is an answer', async () => {
      await using opened = await open('alibaba.trigger');
      const answer = await opened.http('/a/b?c=d', { method: 'POST', type: 'text/plain', body: 'sent' });
      assert.deepEqual([answer.status, answer.header('x-a')], [201, 'b']);
      assert.deepEqual(JSON.parse(answer.text), {
        version: 'v1',
        rawPath: '/a/b',
        queryParameters: { c: 'd' },
        method: 'POST',
        body: 'sent',
      });
      await using text = await open('alibaba.text', 'alibaba-fc');
      assert.deepEqual([(await text.http('/')).text, (await text.http('/')).status], ['only text', 200]);
    });

    for (const form of [undefined, 'alibaba-fc-http'] as const)
      test(`Alibaba FC: (req, resp, context), ${form === undefined ? 'seen' : 'declared'}`, async () => {
        await using opened = await open('alibaba-http', form);
        const answer = await opened.http('/p?a=1&a=2&b=3', { method: 'PUT', type: 'text/plain', body: 'sent' });
        assert.deepEqual([answer.status, answer.header('x-client')], [202, '192.0.2.1']);
        const { id, ...rest } = JSON.parse(answer.text) as Record<string, unknown>;
        assert.deepEqual(rest, { method: 'PUT', path: '/p', queries: { a: ['1', '2'], b: '3' }, body: 'sent' });
        assert.equal(typeof id, 'string');
        assert.equal((await opened.http('/stream')).text, 'one two');
        assert.deepEqual((JSON.parse((await opened.event({ a: 1 })).text) as { body: string }).body, '{"a":1}');
      });

    test('Google: a function registered with its framework, by its name', async () => {
      await using opened = await open('google-registered.helloHttp', 'google-cloud-http');
      const answer = await opened.http('/p?a=1', { method: 'POST', type: 'application/json', body: '{"b":[2]}' });
      assert.deepEqual([answer.status, answer.header('x-raw')], [201, '9']);
      assert.deepEqual(JSON.parse(answer.text), { method: 'POST', path: '/p', query: { a: '1' }, body: { b: [2] }, agent: 'tests' });
      const none = await opened.http('/');
      assert.deepEqual((JSON.parse(none.text) as { body: unknown }).body, {});
      const bad = await opened.http('/', { method: 'POST', type: 'application/json', body: '{"b"' });
      assert.equal(bad.status, 400);
      assert.match(bad.text, /no JSON/);
      const form = await opened.http('/', { method: 'POST', type: 'application/x-www-form-urlencoded', body: 'a=1&b=2' });
      assert.deepEqual((JSON.parse(form.text) as { body: unknown }).body, { a: '1', b: '2' });
    });

    test('Google: a CloudEvent function, in both modes, from the platform, and without one', async () => {
      await using opened = await open('google-registered.helloEvent', 'google-cloud-http');
      const ce = ['ce-specversion', '1.0', 'ce-id', '7', 'ce-source', '/s', 'ce-type', 't', 'content-type', 'application/json'];
      const binary = await opened.tested.link.call('/', { method: 'POST', headers: ce, body: '{"n":1}' });
      const event = { specversion: '1.0', id: '7', source: '/s', type: 't', datacontenttype: 'application/json', data: { n: 1 } };
      assert.deepEqual(JSON.parse(binary.body.toString()), { got: event });
      const structured = await opened.http('/', { method: 'POST', type: 'application/cloudevents+json', body: JSON.stringify(event) });
      assert.deepEqual(JSON.parse(structured.text), { got: event });
      assert.deepEqual(JSON.parse((await opened.event(event)).text), { got: event });
      const wrapped = JSON.parse((await opened.event({ n: 2 })).text) as { got: Record<string, unknown> };
      assert.deepEqual([wrapped.got['type'], wrapped.got['data']], ['swiftlet.event', { n: 2 }]);
      const quiet = await opened.http('/', {
        method: 'POST',
        type: 'application/cloudevents+json',
        body: JSON.stringify({ ...event, data: { quiet: true } }),
      });
      assert.deepEqual([quiet.status, quiet.text], [204, '']);
      const none = await opened.http('/', { method: 'POST', type: 'application/json', body: '{}' });
      assert.deepEqual([none.status, /ce-specversion/.test(none.text)], [400, true]);
      assert.equal((await opened.event({ ...event, data: { fails: true } })).failure?.type, 'RangeError');
    });

    test('Google: one that is registered alone needs no name; of several one has to be said', async () => {
      await using opened = await open('google-imported', 'google-cloud-http');
      const answer = await opened.http('/?name=Ada');
      assert.deepEqual([answer.text, answer.header('content-type')], ['Hello Ada!', 'text/html; charset=utf-8']);
      assert.equal((await opened.event({ name: 'Grace' })).text, '"Hello Grace!"');
      await using tested = new RuntimeUnderTest(runtime);
      const report = await tested.init('foreign/google-registered', { form: 'google-cloud-http' });
      assert.ok('code' in report && /helloHttp, helloEvent; say which/.test(report.message), JSON.stringify(report));
      await using misspelt = new RuntimeUnderTest(runtime);
      const failed = await misspelt.init('foreign/google-registered.helloHtp', { form: 'google-cloud-http' });
      assert.ok('code' in failed && /registered as "helloHtp", but helloHttp, helloEvent/.test(failed.message), JSON.stringify(failed));
    });

    test('Google: (req, res) is seen; the response’s ways to answer', async () => {
      await using opened = await open('google-http.helloHttp');
      assert.deepEqual(JSON.parse((await opened.event({ a: 1 })).text), { form: 'seen', body: { a: 1 } });
      const status = await opened.http('/status');
      assert.deepEqual([status.status, status.text], [204, '']);
      const away = await opened.http('/away');
      assert.deepEqual([away.status, away.header('location')], [302, '/there?a=1']);
      const cookie = await opened.http('/cookie');
      assert.deepEqual([...cookie.body], [1, 2]);
      assert.deepEqual([cookie.header('set-cookie'), cookie.header('vary')], ['a=b%20c; Path=/x; HttpOnly', 'accept,origin']);
      const pieces = await opened.http('/pieces');
      assert.deepEqual([pieces.text.length, pieces.header('connection')], [400_000, undefined]);
      assert.equal((await opened.http('/throws')).failure?.message, 'thrown');
      assert.equal((await opened.http('/rejects')).failure?.message, 'rejected');
      assert.equal((await opened.http('/', { method: 'HEAD' })).text, '');
    });

    test('Google: an app of Express as a function', async () => {
      await using opened = await open('google-express.app', 'google-cloud-http');
      const hello = await opened.http('/hello/Ada?a=1');
      assert.equal(hello.status, 201, JSON.stringify(hello.failure));
      assert.deepEqual(JSON.parse(hello.text), { name: 'Ada', q: '1', ip: 'string' });
      const sum = await opened.http('/sum', { method: 'POST', type: 'application/json', body: '{"a":1,"b":2}' });
      assert.deepEqual(JSON.parse(sum.text), { sum: 3 });
      assert.equal((await opened.http('/none')).status, 404);
    });

    test('Tencent SCF: main_handler, with the gateway’s event and the context’s names', async () => {
      await using opened = await open('tencent');
      const answer = await opened.http('/p?a=1', { method: 'POST', type: 'text/plain', body: 'sent' });
      assert.deepEqual([answer.status, answer.header('content-type')], [202, 'text/html']);
      const told = { path: '/p', httpMethod: 'POST', queryString: { a: '1' }, body: 'sent', namespace: 'default' };
      assert.deepEqual({ ...(JSON.parse(answer.text) as object), namespace: 'default' }, told);
      const { id, ...rest } = JSON.parse((await opened.event({ b: 2 })).text) as Record<string, unknown>;
      assert.deepEqual(rest, { event: { b: 2 }, name: 'tested', limit: 5_000 });
      assert.equal(typeof id, 'string');
      await using called = await open('tencent.called', 'tencent-scf');
      assert.equal((await called.event({})).text, '"called back"');
      assert.equal((await called.event({ fails: true })).failure?.type, 'TypeError');
    });

    test('a form that is declared is not looked for', async () => {
      await using opened = await open('tencent.main_handler', 'lambda');
      const { event } = JSON.parse((await opened.event({ b: 2 })).text) as { event: unknown };
      assert.deepEqual(event, { b: 2 });
      assert.equal((JSON.parse((await opened.event({})).text) as Record<string, unknown>)['limit'], undefined);
    });
  });
}

/** Several of one name are joined by commas. */
function headerOf(raw: readonly string[], wanted: string): string | undefined {
  const values = raw.filter((_value, at) => at % 2 === 1 && raw[at - 1] === wanted);
  return values.length === 0 ? undefined : values.join(',');
}
