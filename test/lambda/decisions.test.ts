/** What Lambda's API says and takes, decided without a platform. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { failurePayload, isFunctionFailure } from '../../src/lambda/function-failure.ts';
import { functionReference, latest } from '../../src/lambda/function-reference.ts';
import { demandJson, invokeWish } from '../../src/lambda/invoke-request.ts';
import { LambdaError, lambdaErrorOf } from '../../src/lambda/lambda-error.ts';
import { logTail } from '../../src/lambda/log-tail.ts';
import { type ErrorCode, errorKinds, SwiftletError } from '../../src/model/errors.ts';

const typeOf = (work: () => unknown): string => {
  try {
    work();
    return 'nothing';
  } catch (error) {
    return error instanceof LambdaError ? error.type : String(error);
  }
};
const beta = { kind: 'alias', name: 'beta' } as const;

describe('a function is named', () => {
  for (const [named, beside, expected] of [
    ['hello', undefined, { name: 'hello', qualifier: latest }],
    ['hello', '$LATEST', { name: 'hello', qualifier: latest }],
    ['hello:beta', undefined, { name: 'hello', qualifier: beta }],
    ['hello:beta', 'beta', { name: 'hello', qualifier: beta }],
    ['hello', '12', { name: 'hello', qualifier: { kind: 'version', number: 12 } }],
    ['function:hello', undefined, { name: 'hello', qualifier: latest }],
    ['123456789012:function:hello', undefined, { name: 'hello', qualifier: latest, account: '123456789012' }],
    [
      'arn:aws:lambda:eu-central-1:123456789012:function:hello:3',
      undefined,
      { name: 'hello', qualifier: { kind: 'version', number: 3 }, account: '123456789012' },
    ],
    [
      'arn:aws-us-gov:lambda:us-gov-west-1:123456789012:function:hello:$LATEST',
      undefined,
      { name: 'hello', qualifier: latest, account: '123456789012' },
    ],
  ] as const)
    test(`${named} ${beside ?? ''}`, () => assert.deepEqual(functionReference(named, beside), { account: undefined, ...expected }));

  for (const [named, beside, type] of [
    ['', undefined, 'ValidationException'],
    ['a b', undefined, 'ValidationException'],
    ['../hello', undefined, 'ValidationException'],
    ['hello:', undefined, 'ValidationException'],
    ['x'.repeat(141), undefined, 'ValidationException'],
    ['hello', 'a/b', 'ValidationException'],
    ['hello:beta', 'live', 'InvalidParameterValueException'],
  ] as const)
    test(`not as ${JSON.stringify([named.slice(0, 20), beside])}`, () =>
      assert.equal(
        typeOf(() => functionReference(named, beside)),
        type,
      ));
});

test('an invoke says how it is meant; what cannot be meant is refused with its place', () => {
  assert.deepEqual(invokeWish({}), { type: 'RequestResponse', withLog: false, clientContext: undefined });
  const clientContext = Buffer.from('{"custom":{"a":1}}').toString('base64');
  assert.deepEqual(invokeWish({ 'x-amz-invocation-type': 'Event', 'x-amz-log-type': 'Tail', 'x-amz-client-context': clientContext }), {
    type: 'Event',
    withLog: true,
    clientContext,
  });
  for (const [headers, message] of [
    [{ 'x-amz-invocation-type': 'event' }, /'event' at 'invocationType'.*\[RequestResponse, Event, DryRun\]/],
    [{ 'x-amz-log-type': 'All' }, /'logType'/],
    [{ 'x-amz-client-context': 'a'.repeat(3_584) }, /'clientContext'.*3583/],
    [{ 'x-amz-client-context': Buffer.from('[]').toString('base64') }, /Base64-encoded JSON object/],
    [{ 'x-amz-client-context': '{}' }, /Base64-encoded JSON object/],
  ] as const)
    assert.throws(() => invokeWish(headers), { name: 'LambdaError', status: 400, message });
  demandJson(Buffer.alloc(0));
  demandJson(Buffer.from('null'));
  assert.equal(
    typeOf(() => demandJson(Buffer.from('{'))),
    'InvalidRequestContentException',
  );
});

test('each of our errors is one of AWS’s, with a status of the same kind', () => {
  for (const [code, { status, fault }] of Object.entries(errorKinds)) {
    const error = lambdaErrorOf(new SwiftletError(code as ErrorCode, 'why'));
    assert.ok(error.status >= 400 && error.status <= 503, code);
    if (fault === 'caller' && status < 500) assert.ok(error.status < 500, code);
    assert.equal(error.body['message'], 'why');
  }
  const told = (code: ErrorCode) => lambdaErrorOf(new SwiftletError(code, '')).type;
  assert.deepEqual(
    [told('FunctionNotFound'), told('QueueFull'), told('QuotaExceeded'), told('RequestTooLarge'), told('Forbidden'), told('Internal')],
    [
      'ResourceNotFoundException',
      'TooManyRequestsException',
      'TooManyRequestsException',
      'RequestTooLargeException',
      'AccessDeniedException',
      'ServiceException',
    ],
  );
});

test('a function’s failure is a payload, as Lambda writes it', () => {
  const of = (code: ErrorCode, body: object) =>
    JSON.parse(failurePayload({ code, requestId: 'r', body: Buffer.from(JSON.stringify(body)), timeoutMs: 3_000 })) as object;
  assert.deepEqual(of('HandlerError', { failure: { type: 'TypeError', message: 'no', stack: 'TypeError: no\n    at x' } }), {
    errorType: 'TypeError',
    errorMessage: 'no',
    trace: ['TypeError: no', '    at x'],
  });
  assert.deepEqual(of('Timeout', { detail: 'ours' }), {
    errorType: 'Sandbox.Timedout',
    errorMessage: 'RequestId: r Error: Task timed out after 3.00 seconds',
  });
  assert.deepEqual(of('OutOfMemory', { detail: 'too much' }), {
    errorType: 'Runtime.OutOfMemory',
    errorMessage: 'RequestId: r Error: too much',
  });
  assert.deepEqual([isFunctionFailure('Timeout'), isFunctionFailure('QueueFull'), isFunctionFailure('nonsense')], [true, false, false]);
});

test('an init that failed is told with Lambda’s names, else with its own; what a runtime posted comes as it is', () => {
  const of = (code: ErrorCode, failure?: object) => {
    const payload = failurePayload({
      code,
      requestId: 'r',
      body: Buffer.from(JSON.stringify({ detail: 'ours', failure })),
      timeoutMs: 3_000,
    });
    const { errorType, errorMessage } = JSON.parse(payload) as Record<string, string>;
    return [errorType, errorMessage];
  };
  const said = (type: string, message = 'why') => of('InitError', { type, message });
  assert.deepEqual(said('RangeError'), ['RangeError', 'why']);
  assert.deepEqual(said('SyntaxError'), ['Runtime.UserCodeSyntaxError', 'SyntaxError: why']);
  assert.deepEqual(said('Error', "Cannot find module 'x'"), ['Runtime.ImportModuleError', "Error: Cannot find module 'x'"]);
  assert.deepEqual(said('Runtime.ExitError'), ['Runtime.ExitError', 'RequestId: r Error: why']);
  assert.deepEqual(said('InitError'), ['Runtime.InitError', 'RequestId: r Error: ours']);
  assert.deepEqual(of('InitError'), ['Runtime.InitError', 'RequestId: r Error: ours']);
  assert.deepEqual(of('HandlerNotFound', { type: 'HandlerNotFound', message: 'why' }), [
    'Runtime.HandlerNotFound',
    'RequestId: r Error: why',
  ]);
  assert.deepEqual(of('HandlerError', { type: 'Runtime.Mine', message: 'why' }), ['Runtime.Mine', 'why']);
  const payload = '{"errorType":"Config.Missing","errorMessage":"no table"}';
  assert.deepEqual(of('InitError', { type: 'Other', message: '', payload }), ['Config.Missing', 'no table']);
});

test('a log’s tail has what the request printed, between START and REPORT, and never more than 4 KiB', () => {
  const report = {
    outcome: 'ok',
    start: 'cold',
    totalMs: 9,
    durationMs: 1.234,
    billedMs: 2,
    platformMs: 1,
    queueMs: 0,
    memoryUsedMiB: 40.2,
    initMs: 5,
  } as const;
  const of = { requestId: 'r', version: '$LATEST', memoryMiB: 128 };
  const text = Buffer.from(
    logTail(
      [
        { time: 't1', level: 'info', requestId: 'other', message: 'not mine' },
        { time: 't2', level: 'info', requestId: 'r', message: 'mine' },
        { time: 't3', level: 'report', requestId: 'r', message: 'ok', report },
      ],
      of,
    ),
    'base64',
  ).toString();
  assert.equal(
    text,
    'START RequestId: r Version: $LATEST\nt2\tr\tINFO\tmine\nEND RequestId: r\n' +
      'REPORT RequestId: r\tDuration: 1.23 ms\tBilled Duration: 2 ms\tMemory Size: 128 MB\tMax Memory Used: 41 MB\tInit Duration: 5.00 ms\n',
  );
  const long = logTail([{ time: 't', level: 'info', requestId: 'r', message: 'x'.repeat(9_000) }], of);
  assert.equal(Buffer.from(long, 'base64').length, 4_096);
});
