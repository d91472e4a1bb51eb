/** Aliases, rollouts and ways back through the API, with roles that only pretend. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { eventually } from '../e2e/functions.ts';
import { type Answer, assertProblem, type ControlUnderTest, startUnderTest } from './control-under-test.ts';

const canary = { strategy: 'canary', steps: [{ weight: 5, forMs: 100 }] };
const held = { strategy: 'blue-green', keepMs: 60_000 };

/** Control with a function of so many versions, the last of which has everything. */
async function withVersions(t: TestContext, count: number): Promise<ControlUnderTest> {
  const control = await startUnderTest(t);
  control.roles.subscribe();
  const digest = await control.bundle();
  for (let version = 1; version <= count; version++)
    await control.put('/v1/functions/shop', { digest, config: { timeoutMs: 1_000 + version } });
  return control;
}

const post = (control: ControlUnderTest, path: string, body: unknown = {}): Promise<Answer> =>
  control.call(`/v1/functions/shop/${path}`, { method: 'POST', body: JSON.stringify(body) });
const alias = (control: ControlUnderTest, name: string, versions: unknown, more = {}): Promise<Answer> =>
  control.put(`/v1/functions/shop/aliases/${name}`, { versions, ...more });
const rolloutOf = async (control: ControlUnderTest) => (await control.call('/v1/functions/shop/rollout')).json;
const servingOf = async (control: ControlUnderTest) =>
  ((await control.call('/v1/functions/shop')).json['serving'] as { number: number }).number;

describe('aliases of the API', () => {
  it('are set, listed and removed, and reach those who serve', async (t) => {
    const control = await withVersions(t, 2);
    const split = [
      { version: 1, weight: 97.5 },
      { version: 2, weight: 2.5 },
    ];
    const set = await alias(control, 'live', split, { sticky: { cookie: 'session' } });
    assert.deepEqual([set.status, set.json['name'], set.json['versions'], set.json['placed']], [200, 'live', split, true], set.text);
    assert.equal((await alias(control, 'beta', [{ version: 2, weight: 100 }])).status, 200);
    const routing = control.roles.state?.routings.get('default/shop');
    assert.deepEqual(
      routing?.aliases.map(({ name, sticky }) => [name, sticky]),
      [
        ['live', { cookie: 'session' }],
        ['beta', undefined],
      ],
    );
    assert.equal(control.roles.state?.functions.get('default/shop')?.number, 1);
    const { aliases } = (await control.call('/v1/functions/shop/aliases')).json as { aliases: { name: string }[] };
    assert.deepEqual(
      aliases.map(({ name }) => name),
      ['live', 'beta'],
    );
    assert.equal((await control.call('/v1/functions/shop/aliases/beta', { method: 'DELETE' })).status, 204);
    assertProblem(
      await control.call('/v1/functions/shop/aliases/beta', { method: 'DELETE' }),
      404,
      'AliasNotFound',
      /swiftlet alias list shop/,
    );
  });

  it('are refused with the place and the remedy', async (t) => {
    const control = await withVersions(t, 1);
    const ninety = [
      { version: 1, weight: 60 },
      { version: 2, weight: 30 },
    ];
    assertProblem(await alias(control, 'beta', ninety), 400, 'BadRequest', /90 per cent together; they have to be 100/, 'versions');
    assertProblem(await alias(control, 'beta', [{ version: 1, weight: 0.05 }]), 400, 'BadRequest', /one decimal/, 'versions.0.weight');
    assertProblem(
      await alias(control, 'beta', [{ version: 9, weight: 100 }]),
      400,
      'VersionMissing',
      /swiftlet versions shop/,
      'versions.0.version',
    );
    assertProblem(await alias(control, 'be ta', [{ version: 1, weight: 100 }]), 400, 'NameInvalid', /letters, digits/, 'alias');
    assertProblem(await alias(control, 'beta', [{ version: 1, weight: 100 }], { sticky: { header: 'X y' } }), 400, 'BadRequest', /sticky/);
    assertProblem(
      await control.call('/v1/functions/shop/aliases/live', { method: 'DELETE' }),
      400,
      'BadRequest',
      /swiftlet remove/,
      'alias',
    );
    assertProblem(
      await control.put('/v1/functions/nobody/aliases/beta', { versions: [{ version: 1, weight: 100 }] }),
      404,
      'FunctionNotFound',
    );
    assertProblem(await control.call('/v1/functions/nobody/aliases'), 404, 'FunctionNotFound');
  });
});

describe('rollouts of the API', () => {
  it('move by themselves to their end', async (t) => {
    const control = await withVersions(t, 1);
    control.roles.warmth = (number) => ({ ready: number === 1 ? 4 : 3 });
    const digest = await control.bundle();
    // A gateway counts for the watch that it was told of.
    control.roles.place = (state) => {
      const watch = state.routings.get('default/shop')?.watch;
      control.roles.watched = { ...(watch === undefined ? {} : { watch }), versions: [] };
    };
    const deployed = await control.put('/v1/functions/shop', { digest, rollout: canary });
    assert.deepEqual([deployed.status, deployed.json['serving'], deployed.headers.get('etag')], [200, 1, '"1"'], deployed.text);
    assertProblem(
      await control.put('/v1/functions/shop', { digest, config: { memoryMiB: 256 } }),
      409,
      'Conflict',
      /swiftlet rollout abort shop/,
    );
    assertProblem(await alias(control, 'live', [{ version: 1, weight: 100 }]), 409, 'Conflict');
    const seen = new Set<unknown>();
    control.roles.warmth = (number) => {
      seen.add(number);
      return { ready: 4 };
    };
    const done = await eventually(
      () => rolloutOf(control),
      (rollout) => rollout['state'] === 'completed',
    );
    assert.deepEqual([done['from'], done['to'], done['live']], [1, 2, [{ version: 2, weight: 100 }]]);
    assert.deepEqual(seen, new Set([1, 2]));
    assert.equal(await servingOf(control), 2);
  });

  it('go on after a restart of control, from where they were', async (t) => {
    const first = await withVersions(t, 2);
    first.roles.warmth = () => ({ ready: 1 });
    assert.equal((await post(first, 'rollout', { version: 1, plan: held })).status, 200);
    await eventually(
      () => rolloutOf(first),
      (rollout) => rollout['state'] === 'watching',
    );
    await first.stop();
    const second = await startUnderTest(t, first.folder);
    const rollout = await rolloutOf(second);
    assert.deepEqual([rollout['state'], await servingOf(second)], ['watching', 1]);
    const aborted = await post(second, 'rollout/abort');
    assert.deepEqual([aborted.json['state'], aborted.json['live']], ['aborted', [{ version: 2, weight: 100 }]]);
    assertProblem(await post(second, 'rollout/abort'), 404, 'RolloutNotFound', /swiftlet rollback shop/);
  });

  it('of a version that cannot start are rolled back with its reason', async (t) => {
    const control = await withVersions(t, 2);
    control.roles.warmth = (number) =>
      number === 2 ? { ready: 1 } : { ready: 0, failure: { code: 'InitError', detail: 'TypeError: x is not a function' } };
    await post(control, 'rollout', { version: 1, plan: canary });
    const over = await eventually(
      () => rolloutOf(control),
      (rollout) => rollout['state'] === 'rolled-back',
    );
    assert.match(String(over['reason']), /version 1 cannot start: InitError: TypeError: x is not a function/);
    assert.equal(await servingOf(control), 2);
  });

  it('are refused with what is wrong', async (t) => {
    const control = await withVersions(t, 1);
    assertProblem(await post(control, 'rollout', { version: 9 }), 400, 'VersionMissing', /no version 9/, 'version');
    assertProblem(await post(control, 'rollout', { version: 1 }), 409, 'Conflict', /has all requests already/);
    const falling = {
      strategy: 'canary',
      steps: [
        { weight: 25, forMs: 1_000 },
        { weight: 5, forMs: 1_000 },
      ],
    };
    assertProblem(await post(control, 'rollout', { version: 1, plan: falling }), 400, 'BadRequest', /weights rise/, 'plan.steps');
    assertProblem(await post(control, 'rollout', { version: 1, plan: { strategy: 'rainbow' } }), 400, 'BadRequest', /plan/);
    assertProblem(await post(control, 'rollback'), 404, 'RolloutNotFound', /one version only/);
    assertProblem(await control.call('/v1/functions/nobody/rollout'), 404, 'FunctionNotFound');
    assertProblem(await control.call('/v1/functions/shop/rollout'), 404, 'RolloutNotFound');
  });
});

it('a way back leads to the version before, or to another one', async (t) => {
  const control = await withVersions(t, 3);
  const back = await post(control, 'rollback');
  assert.deepEqual([back.json['live'], back.json['placed']], [[{ version: 2, weight: 100 }], true], back.text);
  assert.equal(await servingOf(control), 2);
  assert.deepEqual((await post(control, 'rollback', { version: 1 })).json['live'], [{ version: 1, weight: 100 }]);
  assertProblem(await post(control, 'rollback', { version: 9 }), 400, 'VersionMissing', /swiftlet versions shop/, 'version');
});
