import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { checkRoom, type PoolRoom } from '../../src/control/pools/pools.ts';
import { poolSettingsSchema } from '../../src/model/custom-pool.ts';
import { startTenants } from './access-under-test.ts';
import { assertProblem, type ControlUnderTest, startUnderTest } from './control-under-test.ts';

const library = { 'nodejs/node_modules/heavy/index.js': 'module.exports = () => "hello";' };

const publish = async (control: ControlUnderTest, name: string) => {
  const body = JSON.stringify({ digest: await control.bundle(library) });
  return control.call(`/v1/layers/${name}/versions`, { method: 'POST', body });
};
const create = (control: ControlUnderTest, name: string, settings: object) =>
  control.put(`/v1/pools/${name}`, { preload: ['heavy'], ...settings });
const remove = (control: ControlUnderTest, name: string) => control.call(`/v1/pools/${name}`, { method: 'DELETE' });
const deploy = async (control: ControlUnderTest, name: string, config: object) =>
  control.put(`/v1/functions/${name}`, { digest: await control.bundle(), config });

describe('custom pools in the API', () => {
  it('are made, listed, described, and deleted once no function uses them; what they build on stays', async (t) => {
    const control = await startUnderTest(t);
    const { json: layer } = await publish(control, 'libs');
    const made = await create(control, 'heavy', { layers: ['libs:1'], minimum: 2 });
    assert.equal(made.status, 201, made.text);
    const usual = { runtime: 'nodejs26', memoryMiB: 128, maximum: 8, functions: [] };
    assert.deepEqual(made.json, {
      ...usual,
      createdAt: made.json['createdAt'],
      name: 'heavy',
      layers: ['libs:1'],
      preload: ['heavy'],
      minimum: 2,
    });
    assert.equal((await create(control, 'heavy', { layers: ['libs:1'], minimum: 2 })).status, 200);
    assertProblem(await create(control, 'heavy', { layers: ['libs:1'], minimum: 3 }), 409, 'PoolExists');
    const deployed = await deploy(control, 'hello', { pool: 'heavy' });
    assert.equal(deployed.status, 201, deployed.text);
    const version = deployed.json['version'] as { layerDigests: string[]; pool: object };
    assert.deepEqual(version.layerDigests, [layer['digest']]);
    assert.deepEqual(version.pool, {
      name: 'heavy',
      memoryMiB: 128,
      layerDigests: [layer['digest']],
      preload: ['heavy'],
      minimum: 2,
      maximum: 8,
    });
    assert.deepEqual((await control.call('/v1/pools')).json, { pools: [{ ...made.json, functions: ['hello'] }] });
    assertProblem(await remove(control, 'heavy'), 409, 'PoolInUse', /the function "hello"/);
    assertProblem(await control.call('/v1/layers/libs/versions/1', { method: 'DELETE' }), 409, 'LayerInUse', /"hello"/);
    await control.call('/v1/functions/hello', { method: 'DELETE' });
    assertProblem(await control.call('/v1/layers/libs/versions/1', { method: 'DELETE' }), 409, 'LayerInUse', /swiftlet pool delete heavy/);
    assert.equal((await remove(control, 'heavy')).status, 204);
    assertProblem(await remove(control, 'heavy'), 404, 'PoolNotFound', /swiftlet pool list/);
    assert.equal((await control.call('/v1/layers/libs/versions/1', { method: 'DELETE' })).status, 204);
  });

  it('are refused with the figures when they make no sense', async (t) => {
    const control = await startUnderTest(t);
    assertProblem(await create(control, 'a', { layers: ['libs:1'] }), 400, 'LayerMissing', /the pool "a" builds on the layer libs:1/);
    assertProblem(await create(control, 'a', { runtime: 'cobol' }), 400, 'BadRequest', /nodejs26/, 'runtime');
    assertProblem(await create(control, 'a', { runtime: 'provided' }), 400, 'BadRequest', /run programs/, 'runtime');
    assertProblem(await create(control, 'a', { preload: [] }), 400, 'BadRequest', /preloads something/, 'preload');
    assertProblem(await create(control, 'a', { preload: ['../x'] }), 400, 'BadRequest', /as code imports it/, 'preload.0');
    assertProblem(await create(control, 'a', { minimum: 9 }), 400, 'BadRequest', /9 sandboxes at least are more than 8/, 'minimum');
    assertProblem(
      await create(control, 'a', { maximum: 900 }),
      400,
      'PoolUnfit',
      /up to 900 sandboxes.*which runs \d+ altogether/,
      'maximum',
    );
  });

  it('are measured by what each agent has, which keeps one of its own', () => {
    const settings = poolSettingsSchema.parse({ preload: ['heavy'], minimum: 4, maximum: 8 });
    const of = (room: PoolRoom) => () => checkRoom(settings, room);
    assert.doesNotThrow(of({ maxSandboxes: 8, poolMemoryMiB: 512 }));
    assert.throws(of({ maxSandboxes: 7, count: 2 }), {
      code: 'PoolUnfit',
      message: /8 sandboxes.*each of this host's 2 agents, which runs 7/,
    });
    assert.throws(of({ maxSandboxes: 8, poolMemoryMiB: 511 }), {
      code: 'PoolUnfit',
      message: /may take 512 MiB, and this host has 511 MiB/,
    });
  });

  it('fit what uses them', async (t) => {
    const control = await startUnderTest(t);
    for (const name of ['libs', 'other']) await publish(control, name);
    await create(control, 'heavy', { layers: ['libs:1'], memoryMiB: 200 });
    assertProblem(await deploy(control, 'hello', { pool: 'nothing' }), 400, 'PoolMissing', /swiftlet pool create nothing/, 'config.pool');
    assertProblem(await deploy(control, 'hello', { pool: 'heavy' }), 400, 'PoolUnfit', /256 MiB, and the function wants 128 MiB/);
    const wanted = { pool: 'heavy', memoryMiB: 256 };
    assertProblem(await deploy(control, 'hello', { ...wanted, runtime: 'nodejs24' }), 400, 'PoolUnfit', /nodejs26.*nodejs24/);
    assertProblem(await deploy(control, 'hello', { ...wanted, layers: ['libs:2'] }), 400, 'PoolUnfit', /libs:1.*libs:2/);
    const deployed = await deploy(control, 'hello', { ...wanted, layers: ['other:1', 'libs:1'] });
    assert.equal(deployed.status, 201, deployed.text);
  });

  it('are a tenant’s own', async (t) => {
    const under = await startTenants(t);
    for (const tenant of ['acme', 'other']) assert.equal((await under.createTenant(tenant)).status, 201);
    const { token } = await under.createToken('acme', 'developer');
    const { token: others } = await under.createToken('other', 'developer');
    const body = JSON.stringify({ preload: ['node:vm'] });
    assert.equal((await under.as(token, '/v1/pools/heavy', { method: 'PUT', body })).status, 201);
    assert.deepEqual((await under.as(others, '/v1/pools')).json, { pools: [] });
    assertProblem(await under.as(others, '/v1/pools/heavy'), 404, 'PoolNotFound');
    assertProblem(await under.deploy('other', 'thief', { token: others, config: { pool: 'heavy' } }), 400, 'PoolMissing');
    assert.equal((await under.deploy('acme', 'owner', { token, config: { pool: 'heavy' } })).status, 201);
  });
});
