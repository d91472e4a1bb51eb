/** Requests as events and answers as responses, by the rules of AWS Lambda's function URLs. */
import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { nodeRuntimeNames } from '../../src/model/runtimes.ts';
import type { Asked, RuntimeLink } from './runtime-link.ts';
import { RuntimeUnderTest } from './runtime-under-test.ts';

const json = ['content-type', 'application/json'];

const answered: [path: string, status: number, headers: string[], body: string | Buffer][] = [
  ['text', 200, json, '"Hello, world!"'],
  ['object', 200, json, '{"message":"Hello, world!"}'],
  ['number', 200, json, '42'],
  ['null', 200, json, 'null'],
  ['nothing', 200, json, 'null'],
  [
    'custom',
    201,
    // biome-ignore format: a name and its value belong on one line
    ['content-type', 'text/plain', 'x-many', 'a', 'x-many', 'b', 'vary', 'content-type', 'x-more', 'c', 'set-cookie', 'a=1; Path=/', 'set-cookie', 'b=2'],
    'made',
  ],
  ['no-type', 200, ['vary', 'content-type', ...json], '{}'],
  ['empty', 204, [], ''],
  ['text-status', 202, [], ''],
  ['bytes', 200, json, Buffer.from([0, 255, 10])],
];

const refused: [path: string, code: string, message: RegExp][] = [
  ['status-99', 'InvalidResponse', /status code is 99; it must be a whole number from 200 to 599/],
  ['status-text', 'InvalidResponse', /status code is "fine"/],
  ['status-half', 'InvalidResponse', /status code is 200\.5/],
  ['headers-text', 'InvalidResponse', /"headers" is "a: b"; it must be an object/],
  ['cookies-text', 'InvalidResponse', /"cookies" is "a=1"; it must be an array/],
  ['body-object', 'InvalidResponse', /"body" is \{"a":1\}; it must be a string/],
  ['circular', 'InvalidResponse', /cannot be written as JSON.*circular/],
  ['bigint', 'InvalidResponse', /cannot be written as JSON.*BigInt/],
  ['over-limit', 'ResponseTooLarge', /6291457 bytes, over the limit of 6291456/],
  ['over-limit-json', 'ResponseTooLarge', /6291458 bytes/],
];

const eventOf = async (link: RuntimeLink, target: string, asked: Asked = {}): Promise<Record<string, unknown>> =>
  JSON.parse((await link.call(target, asked)).body.toString()) as Record<string, unknown>;

for (const runtime of nodeRuntimeNames) {
  suite(runtime, () => {
    const tested = new RuntimeUnderTest(runtime);
    const { link } = tested;
    const ready = tested.init('answers.handler');
    after(() => tested[Symbol.asyncDispose]());

    for (const [path, status, headers, body] of answered) {
      test(`an answer: ${path}`, async () => {
        await ready;
        const answer = await link.call(`/${path}`);
        assert.deepEqual([answer.status, answer.headers, answer.body], [status, headers, Buffer.from(body)]);
      });
    }

    for (const [path, code, message] of refused) {
      test(`no answer: ${path}`, async () => {
        await ready;
        const { failure, status } = await link.call(`/${path}`);
        assert.equal(status, undefined);
        assert.equal(failure?.code, code);
        assert.match(failure.message, message);
      });
    }

    test('the largest answer that is not streamed goes through, in turns with the other side', async () => {
      await ready;
      assert.equal((await link.call('/limit')).body.length, 6 * 1024 * 1024);
    });

    test('a small answer leaves in one piece', async () => {
      await ready;
      const before = link.chunks;
      await link.call('/object');
      assert.equal(link.chunks, before + 1);
    });

    test('the last word carries the handler’s time and the memory in use', async () => {
      await ready;
      const { done } = await link.call('/object');
      assert.ok(done !== undefined && done.handlerMicroseconds < 1_000_000 && done.residentKiB > 10_000, JSON.stringify(done));
    });

    test('the event is that of a function URL', async () => {
      await ready;
      const headers = [
        'host',
        'fn.example',
        'x-a',
        '1',
        'x-a',
        '2',
        'cookie',
        'a=1; b=2',
        'cookie',
        'c=3',
        'user-agent',
        'tested',
        '__proto__',
        'x',
      ];
      const event = await eventOf(link, '/event?a=1&b=two%20words&a=2&__proto__=x', { headers, id: 'id-7' });
      const context = event['requestContext'] as Record<string, unknown>;
      const { time, timeEpoch } = context;
      assert.match(String(time), /^\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000$/);
      assert.ok(Math.abs(Date.now() - Number(timeEpoch)) < 5_000);
      assert.deepEqual(event, {
        version: '2.0',
        routeKey: '$default',
        rawPath: '/event',
        rawQueryString: 'a=1&b=two%20words&a=2&__proto__=x',
        cookies: ['a=1', 'b=2', 'c=3'],
        headers: JSON.parse('{"host":"fn.example","x-a":"1,2","cookie":"a=1; b=2; c=3","user-agent":"tested","__proto__":"x"}') as object,
        queryStringParameters: JSON.parse('{"a":"1,2","b":"two words","__proto__":"x"}') as object,
        requestContext: {
          accountId: 'anonymous',
          apiId: 'tested',
          domainName: 'fn.example',
          domainPrefix: 'fn',
          http: { method: 'GET', path: '/event', protocol: 'HTTP/1.1', sourceIp: '192.0.2.1', userAgent: 'tested' },
          requestId: 'id-7',
          routeKey: '$default',
          stage: '$default',
          time,
          timeEpoch,
        },
        isBase64Encoded: false,
      });
    });

    const bodies: [what: string, type: string | undefined, body: Buffer, isText: boolean][] = [
      ['JSON', 'application/json; charset=utf-8', Buffer.from('{"ü":1}'), true],
      ['a form', 'application/x-www-form-urlencoded', Buffer.from('a=1'), true],
      ['a problem', 'application/problem+json', Buffer.from('{}'), true],
      ['text without a type', undefined, Buffer.from('plain'), true],
      ['bytes without a type', undefined, Buffer.from([0xff, 0]), false],
      ['an image', 'image/png', Buffer.from('PNG'), false],
      ['text that is no UTF-8', 'text/plain', Buffer.from([0x66, 0xfc]), false],
      ['what only begins like text', 'application/jsonish', Buffer.from('x'), false],
      ['more than may come without credit', 'text/plain', Buffer.alloc(1_500_000, 'ab'), true],
    ];
    for (const [what, type, body, isText] of bodies) {
      for (const unknownLength of [false, true]) {
        test(`a request’s body: ${what}${unknownLength ? ', of unknown length' : ''}`, async () => {
          await ready;
          const asked = { body, unknownLength, headers: type === undefined ? [] : ['content-type', type] };
          const event = await eventOf(link, '/event', asked);
          assert.equal(event['isBase64Encoded'], !isText);
          assert.ok(Buffer.from(String(event['body']), isText ? 'utf8' : 'base64').equals(body));
        });
      }
    }

    test('the context is that of AWS Lambda, and more', async () => {
      await ready;
      const context = await eventOf(link, '/context', { id: 'id-8', deadline: Date.now() + 60_000 });
      const { remaining, environment, folder } = context;
      assert.ok(Number(remaining) > 50_000 && Number(remaining) <= 60_000);
      assert.deepEqual(context, {
        remaining,
        environment,
        folder,
        callbackWaitsForEmptyEventLoop: true,
        functionName: 'tested',
        functionVersion: '3',
        invokedFunctionArn: 'arn:swiftlet:functions:local:default:function:tested',
        memoryLimitInMB: '128',
        awsRequestId: 'id-8',
        requestId: 'id-8',
        logGroupName: '/swiftlet/tested',
        logStreamName: 'instance-1',
        aborted: false,
      });
    });
  });
}

test('in payload format 1.0 the event is that of a REST API', async () => {
  await using tested = new RuntimeUnderTest('nodejs26');
  await tested.init('answers.handler', { payload: '1.0' });
  const headers = ['host', 'fn.example', 'x-a', '1', 'x-a', '2', 'user-agent', 'tested', '__proto__', 'x'];
  const { event } = await eventOf(tested.link, '/event?a=1&b=two%20words&a=2', { headers, id: 'id-7' });
  const { requestContext, ...rest } = event as Record<string, unknown>;
  assert.deepEqual(rest, {
    version: '1.0',
    resource: '/{proxy+}',
    path: '/event',
    httpMethod: 'GET',
    headers: JSON.parse('{"host":"fn.example","x-a":"2","user-agent":"tested","__proto__":"x"}') as object,
    multiValueHeaders: JSON.parse('{"host":["fn.example"],"x-a":["1","2"],"user-agent":["tested"],"__proto__":["x"]}') as object,
    queryStringParameters: { a: '2', b: 'two words' },
    multiValueQueryStringParameters: { a: ['1', '2'], b: ['two words'] },
    pathParameters: null,
    stageVariables: null,
    body: null,
    isBase64Encoded: false,
  });
  const { identity, requestTime, requestTimeEpoch, ...context } = requestContext as Record<string, unknown>;
  assert.match(String(requestTime), /\+0000$/);
  assert.equal(typeof requestTimeEpoch, 'number');
  const { sourceIp, userAgent, user } = identity as Record<string, unknown>;
  assert.deepEqual([sourceIp, userAgent, user], ['192.0.2.1', 'tested', null]);
  assert.deepEqual(context, {
    accountId: 'anonymous',
    apiId: 'tested',
    domainName: 'fn.example',
    domainPrefix: 'fn',
    extendedRequestId: 'id-7',
    httpMethod: 'GET',
    path: '/event',
    protocol: 'HTTP/1.1',
    requestId: 'id-7',
    resourceId: '$default',
    resourcePath: '/{proxy+}',
    stage: '$default',
  });
});
