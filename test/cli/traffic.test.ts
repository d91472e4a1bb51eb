/** Aliases, rollouts and the way back by the command line. */
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { planOf, splitOf } from '../../src/cli/rollout-flags.ts';
import { type CliUnderTest, openCli } from './cli-under-test.ts';
import { sendJson } from './fake-platform.ts';

let cli: CliUnderTest;
before(async () => {
  cli = await openCli();
  await mkdir(join(cli.folder, 'shop'));
  await writeFile(join(cli.folder, 'shop', 'index.mjs'), 'export const handler = () => 1;');
  await cli.swiftlet('deploy', 'shop');
});
after(() => cli[Symbol.asyncDispose]());

test('alias list, set and remove', async () => {
  const { stdout } = await cli.swiftlet('alias', 'list', 'shop');
  assert.match(stdout, /^live +version 4 \(5 %\), version 3 \(95 %\) +cookie session +2026-/m);
  assert.match(stdout, /^beta +version 4 +2026-/m);
  const set = await cli.swiftlet('alias', 'set', 'shop', 'live', '3=97.5', '4=2.5%');
  assert.deepEqual([set.code, set.stdout], [0, 'shop:live is version 3 (97.5 %), version 4 (2.5 %).\n'], set.stderr);
  const sticky = await cli.swiftlet('alias', 'set', 'shop', 'beta', '4', '--sticky-header', 'X-User', '--json');
  assert.deepEqual((JSON.parse(sticky.stdout) as { sticky: unknown }).sticky, { header: 'x-user' });
  assert.match((await cli.swiftlet('alias', 'remove', 'shop', 'beta')).stdout, /^The alias beta of shop is removed/);
  assert.ok(cli.platform.asked.includes('DELETE /v1/functions/shop/aliases/beta'));
});

test('rollout start, status and abort', async () => {
  const started = await cli.swiftlet('rollout', 'start', 'shop', '4', '--steps', '5:1m,25:5m', '--json');
  const { to, plan } = JSON.parse(started.stdout) as { to: number; plan: unknown };
  assert.deepEqual(
    [to, plan],
    [
      4,
      {
        strategy: 'canary',
        steps: [
          { weight: 5, forMs: 60_000 },
          { weight: 25, forMs: 300_000 },
        ],
      },
    ],
  );
  const { stdout } = await cli.swiftlet('rollout', 'status', 'shop');
  for (const line of [
    /^rollout +version 3 to version 4, canary *$/m,
    /^state +step 1 of 2 \(5 %\) until 2026-01-01T00:01:00\.000Z *$/m,
    /^version 4 +50 requests in this step, 0 failed *$/m,
    /^verdict +no worse than the version before *$/m,
  ])
    assert.match(stdout, line);
  const reason = '20 of 100 requests to version 4 failed \u001b[2J';
  cli.platform.answer('GET /v1/functions/shop/rollout', (response) =>
    sendJson(response, {
      from: 3,
      to: 4,
      plan: { strategy: 'blue-green', keepMs: 1_000 },
      startedAt: '2026-01-01T00:00:00.000Z',
      state: 'rolled-back',
      live: [{ version: 3, weight: 100 }],
      endedAt: '2026-01-01T00:00:09.000Z',
      reason,
    }),
  );
  assert.match((await cli.swiftlet('rollout', 'status', 'shop')).stdout, /reason +20 of 100 requests to version 4 failed \\e\[2J/);
  assert.equal((await cli.swiftlet('rollout', 'abort', 'shop')).stdout, 'The rollout of version 4 is ended: shop is version 3.\n');
});

test('rollback, to the version before and to another', async () => {
  assert.equal((await cli.swiftlet('rollback', 'shop')).stdout, 'shop is version 2.\n');
  assert.equal((await cli.swiftlet('rollback', 'shop', '1')).stdout, 'shop is version 1.\n');
});

test('an event goes to an alias by its address', async () => {
  await cli.swiftlet('invoke', 'shop:beta');
  assert.ok(cli.platform.asked.includes('POST /_/invoke/shop:beta'));
});

test('what was said of a rollout is its plan; nothing leaves it to the manifest', () => {
  assert.equal(planOf({}), undefined);
  assert.deepEqual(planOf({ keep: '90' }), { strategy: 'blue-green', keepMs: 90_000 });
  assert.deepEqual(planOf({ strategy: 'all-at-once' }), { strategy: 'all-at-once' });
  assert.throws(() => planOf({ strategy: 'blue-green', steps: '5:1m' }), { code: 'BadRequest', message: /steps/ });
  const sticky = planOf({ strategy: 'canary', stickyCookie: 'session' });
  assert.ok(sticky?.strategy === 'canary' && sticky.steps.length === 2);
  assert.deepEqual(sticky.sticky, { cookie: 'session' });
});

test('a single version needs no weight', () => assert.deepEqual(splitOf(['7']), [{ version: 7, weight: 100 }]));
