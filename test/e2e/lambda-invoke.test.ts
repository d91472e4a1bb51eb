/** Invoke of Lambda's API by AWS's own SDK, against a whole platform; and what must not work. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { InvokeCommand, type InvokeCommandInput, type LambdaClient } from '@aws-sdk/client-lambda';
import aws4 from 'aws4';
import { type E2e, eventually } from './functions.ts';
import { type Key, type LambdaUnderTest, openLambda, refusal } from './lambda-under-test.ts';

type Pair = Pick<Key, 'accessKeyId' | 'secretAccessKey'>;

let under: LambdaUnderTest;
let e2e: E2e;
let key: Key;
let lambda: LambdaClient;

/** What the command prints is a credentials file. */
async function credentials(...words: string[]): Promise<Pair> {
  const text = await under.swiftlet('credentials', ...words);
  const [, accessKeyId = '', secretAccessKey = ''] =
    /^\[swiftlet\]\naws_access_key_id = (\S+)\naws_secret_access_key = (\S+)$/.exec(text) ?? [];
  assert.notEqual(secretAccessKey, '', text);
  return { accessKeyId, secretAccessKey };
}

async function invoke(input: InvokeCommandInput, by = lambda) {
  const { StatusCode, FunctionError, LogResult, Payload, ExecutedVersion, $metadata } = await by.send(new InvokeCommand(input));
  const text = Buffer.from(Payload ?? []).toString();
  const json: unknown = text === '' ? undefined : JSON.parse(text);
  const log = LogResult === undefined ? undefined : Buffer.from(LogResult, 'base64').toString();
  return { status: StatusCode, error: FunctionError, log, json, version: ExecutedVersion, requestId: $metadata.requestId };
}

before(async () => {
  under = await openLambda();
  e2e = under.e2e;
  const source = `let n = 0;
    export const handler = async (event, context) => {
      n += 1;
      if (event.fail) throw Object.assign(new TypeError(event.fail), { name: 'Mine' });
      if (event.hang) await new Promise(() => {});
      if (event.exit) process.exit(3);
      if (event.say) console.log(event.say);
      if (event.big) return 'x'.repeat(event.big);
      return { event, custom: context.clientContext?.custom ?? null, id: context.awsRequestId, mark: MARK };
    };`;
  await e2e.publish('echo', source.replace('MARK', '1'), { timeoutMs: 1_500 });
  await e2e.publish('echo', source.replace('MARK', '2'), { timeoutMs: 1_500 });
  await e2e.publish('closed', 'export const handler = () => "closed";');
  await e2e.publish('broken', 'throw new RangeError("at its start");');
  await under.swiftlet('alias', 'set', 'echo', 'beta', '1');
  key = await under.key('--role', 'invoker', '--function', 'echo', '--function', 'broken');
  lambda = under.client(key);
});
after(() => under[Symbol.asyncDispose]());

test('a function gets the event, the context and the id, and what it returns comes back', async () => {
  const event = { text: 'é 🙂', nothing: null, deep: [1, { a: true }] };
  const clientContext = Buffer.from('{"custom":{"a":1}}').toString('base64');
  const answer = await invoke({ FunctionName: 'echo', Payload: JSON.stringify(event), ClientContext: clientContext });
  assert.deepEqual(
    [answer.status, answer.error, answer.version, answer.log, answer.json],
    [200, undefined, '$LATEST', undefined, { event, custom: { a: 1 }, id: answer.requestId, mark: 2 }],
  );
  const empty = await invoke({ FunctionName: 'echo' });
  assert.deepEqual((empty.json as { event: unknown; custom: unknown }).event, {});
  assert.equal((empty.json as { custom: unknown }).custom, null);
});

test('a version, an alias and an ARN name what they name', async () => {
  const marks = async (input: InvokeCommandInput) => {
    const { json, version } = await invoke(input);
    return [(json as { mark: number }).mark, version];
  };
  const arn = 'arn:aws:lambda:us-east-1:123456789012:function:echo';
  assert.deepEqual(await marks({ FunctionName: arn }), [2, '$LATEST']);
  assert.deepEqual(await marks({ FunctionName: 'echo', Qualifier: 'beta' }), [1, '1']);
  assert.deepEqual(await marks({ FunctionName: `${arn}:beta` }), [1, '1']);
  assert.deepEqual(await marks({ FunctionName: 'echo', Qualifier: '1' }), [1, '1']);
  assert.deepEqual((await refusal(invoke({ FunctionName: 'echo', Qualifier: 'nobody' }))).slice(0, 2), ['ResourceNotFoundException', 404]);
  assert.deepEqual((await refusal(invoke({ FunctionName: 'echo', Qualifier: '77' }))).slice(0, 2), ['ResourceNotFoundException', 404]);
});

test('what a function throws comes with its type, message and trace; a timeout, an exit and a failed start have Lambda’s names', async () => {
  const failed = async (FunctionName: string, event: object) => {
    const { status, error, json } = await invoke({ FunctionName, Payload: JSON.stringify(event) });
    assert.deepEqual([status, error], [200, 'Unhandled']);
    return json as { errorType: string; errorMessage: string; trace?: string[] };
  };
  const thrown = await failed('echo', { fail: 'no way' });
  assert.deepEqual([thrown.errorType, thrown.errorMessage], ['Mine', 'no way']);
  assert.match(thrown.trace?.join('\n') ?? '', /index\.mjs/);
  const hung = await failed('echo', { hang: true });
  assert.deepEqual([hung.errorType, /Error: Task timed out after 1\.50 seconds$/.test(hung.errorMessage)], ['Sandbox.Timedout', true]);
  assert.equal((await failed('echo', { exit: true })).errorType, 'Runtime.ExitError');
  const start = await failed('broken', {});
  assert.deepEqual([start.errorType, start.errorMessage], ['RangeError', 'at its start']);
  assert.match(start.trace?.join('\n') ?? '', /index\.mjs/);
  assert.equal((await failed('echo', { big: 7 * 1024 * 1024 })).errorType, 'Function.ResponseSizeTooLarge');
});

test('the end of the log comes with the answer', async () => {
  for (let round = 0; round < 5; round++) {
    const { log, requestId } = await invoke({ FunctionName: 'echo', Payload: JSON.stringify({ say: `said ${round}` }), LogType: 'Tail' });
    assert.match(log ?? '', new RegExp(`^START RequestId: ${requestId ?? ''} Version: \\$LATEST\\n.*\\tINFO\\tsaid ${round}\\nEND `, 's'));
    assert.match(log ?? '', /\nREPORT RequestId: .*\tBilled Duration: \d+ ms\tMemory Size: 128 MB\t/);
  }
});

test('an event that nobody waits for is stored and delivered; a dry run runs nothing', async () => {
  const { status, json } = await invoke({ FunctionName: 'echo', InvocationType: 'Event', Payload: JSON.stringify({ say: 'was stored' }) });
  assert.deepEqual([status, json], [202, undefined]);
  await eventually(
    async () => (await e2e.log('echo')).map(({ message }) => message),
    (messages) => messages.includes('was stored'),
  );
  assert.equal((await invoke({ FunctionName: 'echo', InvocationType: 'DryRun', Payload: '{"say":"not run"}' })).status, 204);
  const large = JSON.stringify({ text: 'x'.repeat(256 * 1024) });
  assert.deepEqual((await refusal(invoke({ FunctionName: 'echo', InvocationType: 'Event', Payload: large }))).slice(0, 2), [
    'RequestTooLargeException',
    413,
  ]);
});

test('five megabytes go and come; more than six are refused', async () => {
  const text = '🙂'.repeat(1_310_720);
  const { json } = await invoke({ FunctionName: 'echo', Payload: JSON.stringify({ text }) });
  assert.equal((json as { event: { text: string } }).event.text, text);
  const over = refusal(invoke({ FunctionName: 'echo', Payload: JSON.stringify({ text: 'x'.repeat(6 * 1024 * 1024) }) }));
  assert.deepEqual((await over).slice(0, 2), ['RequestTooLargeException', 413]);
});

test('errors have AWS’s types', async () => {
  assert.deepEqual((await refusal(invoke({ FunctionName: 'echo', Payload: '{' }))).slice(0, 2), ['InvalidRequestContentException', 400]);
  assert.deepEqual((await refusal(invoke({ FunctionName: 'e cho' }))).slice(0, 2), ['ValidationException', 400]);
  // What a key is not for is not there for it.
  const [hidden, missing] = [await refusal(invoke({ FunctionName: 'closed' })), await refusal(invoke({ FunctionName: 'nobody' }))];
  assert.deepEqual(
    [hidden.slice(0, 2), missing.slice(0, 2)],
    [
      ['ResourceNotFoundException', 404],
      ['ResourceNotFoundException', 404],
    ],
  );
  assert.equal(hidden[2].replace('closed', 'nobody'), missing[2]);
  const viewer = under.client(await under.key('--role', 'viewer'));
  assert.deepEqual((await refusal(invoke({ FunctionName: 'echo' }, viewer))).slice(0, 2), ['AccessDeniedException', 403]);
  const response = await fetch(`${e2e.platform.lambdaUrl}/2015-03-31/functions/`);
  assert.deepEqual(
    [response.status, response.headers.get('x-amzn-errortype'), ((await response.json()) as { message: string }).message],
    [403, 'MissingAuthenticationTokenException', 'Missing Authentication Token'],
  );
});

/** Sends what another implementation signed. */
async function send(
  credentials: Pair,
  time: number,
  change: (request: { path: string; body: string }) => void = () => undefined,
  signQuery = false,
) {
  const date = new Date(time).toISOString().replace(/[-:]|\.\d+/g, '');
  const query = signQuery ? `?X-Amz-Expires=60&X-Amz-Date=${date}` : '';
  const request = {
    host: new URL(e2e.platform.lambdaUrl).host,
    service: 'lambda',
    region: 'us-east-1',
    method: 'POST',
    path: `/2015-03-31/functions/echo/invocations${query}`,
    body: '{"a":1}',
    signQuery,
    headers: { 'content-type': 'application/json', ...(signQuery ? {} : { 'X-Amz-Date': date }) } as Record<string, string>,
  };
  aws4.sign(request, credentials);
  change(request);
  const own = ['host', 'content-length'];
  const headers = Object.fromEntries(Object.entries(request.headers).filter(([name]) => !own.includes(name.toLowerCase())));
  const response = await fetch(e2e.platform.lambdaUrl + request.path, { method: 'POST', headers, body: request.body });
  return [response.status, response.headers.get('x-amzn-errortype'), await response.text()] as const;
}

test('a signature is good for five minutes, in a header or in the query, and for nothing else than was signed', async () => {
  const now = Date.now();
  assert.equal((await send(key, now))[0], 200);
  assert.equal((await send(key, now, undefined, true))[0], 200);
  const old = await send(key, now - 6 * 60_000);
  assert.deepEqual([old[0], old[1], /Signature expired/.test(old[2])], [403, 'InvalidSignatureException', true]);
  const changed = await send(key, now, (request) => (request.body = '{"a":2}'));
  assert.deepEqual(changed.slice(0, 2), [403, 'InvalidSignatureException']);
  const elsewhere = await send(key, now, (request) => (request.path = request.path.replace('echo', 'closed')));
  assert.deepEqual(elsewhere.slice(0, 2), [403, 'InvalidSignatureException']);
  const wrong = await send({ ...key, secretAccessKey: 'x'.repeat(43) }, now);
  assert.deepEqual(wrong.slice(0, 2), [403, 'InvalidSignatureException']);
  const foreign = await send({ ...key, accessKeyId: 'AKIAIOSFODNN7EXAMPLE' }, now);
  assert.deepEqual(foreign.slice(0, 2), [403, 'UnrecognizedClientException']);
});

test('curl signs, too', async () => {
  const url = `${e2e.platform.lambdaUrl}/2015-03-31/functions/echo/invocations`;
  const user = `${key.accessKeyId}:${key.secretAccessKey}`;
  const words = ['-s', '--aws-sigv4', 'aws:amz:eu-central-1:lambda', '--user', user, '-d', '{"by":"curl"}', url];
  const { stdout } = await promisify(execFile)('curl', words);
  assert.deepEqual((JSON.parse(stdout) as { event: unknown }).event, { by: 'curl' });
});

test('of nobody without a key a body is waited for', async () => {
  const sent = request(`${e2e.platform.lambdaUrl}/2015-03-31/functions/echo/invocations`, {
    method: 'POST',
    headers: { 'content-length': 1_000_000 },
  });
  sent.on('error', () => undefined);
  sent.flushHeaders();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  assert.deepEqual([response.statusCode, response.headers.connection], [403, 'close']);
  sent.destroy();
});

test('a key that was rotated opens nothing any more, its successor does; so does one that is kept for a while', async () => {
  const first = await credentials('create', 'rotated', '--role', 'invoker');
  const kept = await credentials('rotate', first.accessKeyId, '--keep', '1h');
  assert.deepEqual([(await send(first, Date.now()))[0], (await send(kept, Date.now()))[0]], [200, 200]);
  const last = await credentials('rotate', kept.accessKeyId);
  assert.deepEqual([(await send(kept, Date.now()))[1], (await send(last, Date.now()))[0]], ['UnrecognizedClientException', 200]);
  assert.match(await under.swiftlet('credentials', 'list'), new RegExp(`^${last.accessKeyId} `, 'm'));
});
