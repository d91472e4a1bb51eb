/** Each language by the same table: its pool, phases, log, errors, limits and one-shot mode, over HTTP and by Lambda's API. */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import type { ConfigInput } from '../../bench/control-api.ts';
import { languagesUnderTest } from '../programs/languages.ts';
import { missingTools } from '../programs/missing-tools.ts';
import { type E2e, eventually } from './functions.ts';
import { type LambdaUnderTest, openLambda } from './lambda-under-test.ts';
import { needsMemoryLimit } from './needs.ts';

/** For starts, however busy the machine is. */
const longMs = 60_000;
const shortMs = 1_000;

let under: LambdaUnderTest;
let e2e: E2e;
let lambda: LambdaClient;
before(async () => {
  under = await openLambda();
  ({ e2e } = under);
  lambda = under.client(await under.key('--role', 'admin'));
});
after(() => under[Symbol.asyncDispose]());

async function invoke(name: string, asked = '') {
  const { Payload, FunctionError } = await lambda.send(new InvokeCommand({ FunctionName: name, Payload: JSON.stringify(asked) }));
  return { error: FunctionError, said: JSON.parse(Payload?.transformToString() ?? '') as Record<string, unknown> };
}

/** A sample of the agent's metrics by the runtime that it is of. */
async function poolsReady(): Promise<readonly string[]> {
  const text = await (await fetch(`${e2e.platform.apiUrl}/metrics`, { headers: { authorization: `Bearer ${e2e.platform.token}` } })).text();
  return [...text.matchAll(/^swiftlet_pool_ready\{.*?runtime="([^"]+)".*\} (\d+)/gm)]
    .filter(([, , n]) => Number(n) > 0)
    .map(([, of = '']) => of);
}

const pools: Readonly<Record<string, string>> = {
  node: 'nodejs26',
  python: 'python3',
  java: 'provided',
  provided: 'provided',
  http: 'provided',
};
const phases = ['queue', 'sandbox', 'environment', 'network', 'code', 'runtime', 'init', 'handler'];

/** Much of it is waiting for what takes too long. */
suite('each language', { concurrency: 2 }, () => {
  for (const { name, tools, config, files, raised, initThrew } of languagesUnderTest) {
    suite(name, { concurrency: 1, skip: missingTools(tools) }, () => {
      const publish = async (suffix: string, more: ConfigInput = {}) =>
        e2e.publish(
          `${name}${suffix}`,
          { ...(await files()) },
          { timeoutMs: longMs, initTimeoutMs: longMs, queueTimeoutMs: longMs, ...config, ...more },
        );

      test('its sandbox comes from its pool, its start has all phases, and what it prints is in its log', async () => {
        await publish('');
        await eventually(poolsReady, (ready) => ready.includes(pools[name] ?? ''), longMs);
        const cold = await e2e.call(`/${name}/`);
        assert.deepEqual([cold.status, cold.text, cold.headers.get('x-swiftlet-start')], [200, '1', 'cold'], cold.text);
        const told = (cold.headers.get('server-timing') ?? '').split(', ').map((one) => one.split(';')[0]);
        assert.deepEqual(
          phases.filter((phase) => !told.includes(phase)),
          [],
          told.join(),
        );
        const warm = await e2e.call(`/${name}/`);
        assert.deepEqual([warm.text, warm.headers.get('x-swiftlet-start')], ['2', 'warm']);
        const records = await eventually(
          () => e2e.log(name),
          (all) => all.filter(({ level }) => level === 'report').length === 2 && all.some(({ message }) => message === 'served 2'),
          longMs,
        );
        const levels = records.filter(({ message }) => message === 'served 1' || message === 'in error').map(({ level }) => level);
        assert.deepEqual([...new Set(levels)].sort(), ['error', 'info'], JSON.stringify(records));
      });

      test('what it throws is in its log, and told to who may know it; others learn that it failed', async () => {
        const { status, text, json } = await e2e.call(`/${name}/raise`);
        assert.equal(status, 502);
        if (name !== 'http') {
          assert.equal(json['code'], 'HandlerError');
          assert.ok(!text.includes('secret detail'), text);
        }
        const { error, said } = await invoke(name, '/raise');
        const [type, message, stack] = raised;
        assert.deepEqual([error, said['errorType']], ['Unhandled', type]);
        assert.match(String(said['errorMessage']), message);
        if (stack !== 'none') assert.ok((said[stack] as unknown[]).length > 0, JSON.stringify(said));
        assert.equal((await e2e.call(`/${name}/`)).headers.get('x-swiftlet-start'), 'warm', 'it goes on');
        await eventually(
          () => e2e.log(name),
          (all) => all.some(({ level, message }) => level === 'error' && /secret detail/.test(String(message))),
          longMs,
        );
      });

      test('one that exits, and one whose memory is full, are said to; another one takes its place', {
        skip: needsMemoryLimit,
      }, async () => {
        for (const [asked, code, type] of [
          ['/exit', 'FunctionCrashed', 'Runtime.ExitError'],
          ['/bomb', 'OutOfMemory', 'Runtime.OutOfMemory'],
        ] as const) {
          const { status, json } = await e2e.call(`/${name}${asked}`);
          assert.deepEqual([status, json['code']], [502, code], JSON.stringify(json));
          const { error, said } = await eventually(
            () => invoke(name, asked),
            ({ error: failed }) => failed !== undefined,
            longMs,
          );
          assert.deepEqual([error, said['errorType']], ['Unhandled', type], JSON.stringify(said));
        }
        await eventually(
          () => e2e.call(`/${name}/`),
          ({ text }) => text === '1',
          longMs,
        );
      });

      test('one that takes too long is ended, in its init as well', async () => {
        await publish('-late', { timeoutMs: shortMs });
        const { status, json } = await e2e.call(`/${name}-late/spin`);
        assert.deepEqual([status, json['code']], [504, 'Timeout']);
        const { said } = await invoke(`${name}-late`, '/spin');
        assert.equal(said['errorType'], 'Sandbox.Timedout');
        assert.match(String(said['errorMessage']), /^RequestId: \S+ Error: Task timed out after 1\.00 seconds$/);
        await publish('-late', { initTimeoutMs: shortMs, environment: { INIT: 'spin' } });
        const late = await e2e.call(`/${name}-late/`);
        assert.deepEqual([late.status, late.json['code']], [504, 'InitTimeout'], late.text);
      });

      test('an init that throws, or exits, is told by its own type, and is in the log', async () => {
        await publish('-init', { environment: { INIT: 'throw' } });
        const { status, json } = await e2e.call(`/${name}-init/`);
        assert.deepEqual([status, json['code']], [502, 'InitError']);
        const { error, said } = await invoke(`${name}-init`);
        assert.deepEqual([error, said['errorType']], ['Unhandled', initThrew[0]], JSON.stringify(said));
        assert.match(String(said['errorMessage']), initThrew[1]);
        await eventually(
          () => e2e.log(`${name}-init`),
          (all) => all.some(({ level, message }) => level === 'error' && /no table/.test(String(message))),
          longMs,
        );
        await publish('-init', { environment: { INIT: 'exit' } });
        const exited = await invoke(`${name}-init`);
        assert.equal(exited.said['errorType'], 'Runtime.ExitError', JSON.stringify(exited.said));
        assert.match(String(exited.said['errorMessage']), /\b7\b/);
      });

      test('one-shot: no instance serves twice', async () => {
        await publish('-once', { process: 'one-shot' });
        const answers = [await e2e.call(`/${name}-once/`), await e2e.call(`/${name}-once/`)];
        assert.deepEqual(
          answers.map(({ text, headers }) => [text, headers.get('x-swiftlet-start')]),
          [
            ['1', 'cold'],
            ['1', 'cold'],
          ],
        );
      });
    });
  }
});
