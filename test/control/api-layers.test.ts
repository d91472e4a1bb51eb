import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startTenants } from './access-under-test.ts';
import { assertProblem, type ControlUnderTest, startUnderTest } from './control-under-test.ts';

const library = { 'nodejs/node_modules/greet/index.js': 'module.exports = () => "hello";' };

const publish = async (control: ControlUnderTest, name: string, files: Record<string, string> = library, notes: object = {}) => {
  const body = JSON.stringify({ digest: await control.bundle(files), ...notes });
  return control.call(`/v1/layers/${name}/versions`, { method: 'POST', body });
};
const remove = (control: ControlUnderTest, layer: string) =>
  control.call(`/v1/layers/${layer.replace(':', '/versions/')}`, { method: 'DELETE' });
const deploy = async (
  control: ControlUnderTest,
  name: string,
  layers: readonly string[],
  config: object = {},
  files?: Record<string, string>,
) => control.put(`/v1/functions/${name}`, { digest: await control.bundle(files), config: { layers, ...config } });

describe('layers in the API', () => {
  it('are published, each a further version, listed, described and removed', async (t) => {
    const control = await startUnderTest(t);
    const first = await publish(control, 'libs', library, { description: 'what all greet with', runtimes: ['nodejs26'] });
    assert.equal(first.status, 201, first.text);
    const again = await publish(control, 'libs', library, { description: 'what all greet with', runtimes: ['nodejs26'] });
    assert.deepEqual([again.status, again.json], [200, first.json], 'the same is no further version');
    const second = await publish(control, 'libs', { 'bin/tool': 'x' });
    assert.deepEqual([second.status, second.json['version'], second.json['functions']], [201, 2, []]);
    assert.deepEqual((await control.call('/v1/layers')).json, { layers: [second.json, first.json] });
    assert.deepEqual((await control.call('/v1/layers/libs/versions/1')).json, first.json);
    assert.equal((await remove(control, 'libs:2')).status, 204);
    assertProblem(await control.call('/v1/layers/libs/versions/2'), 404, 'LayerNotFound', /swiftlet layer list/);
    assertProblem(await remove(control, 'libs:2'), 404, 'LayerNotFound');
    assert.equal((await publish(control, 'libs', { 'bin/tool': 'x' })).json['version'], 3, 'a number is never given again');
  });

  it('are refused with the place when they make no sense', async (t) => {
    const control = await startUnderTest(t);
    const post = (path: string, body: object) => control.call(path, { method: 'POST', body: JSON.stringify(body) });
    assertProblem(await post('/v1/layers/libs/versions', { digest: 'a'.repeat(64) }), 404, 'NotFound', /upload it/, 'digest');
    assertProblem(await post('/v1/layers/libs/versions', { digest: 'short' }), 400, 'BadRequest', /64 hexadecimal/);
    assertProblem(await post('/v1/layers/No%20name/versions', { digest: 'a'.repeat(64) }), 400, 'NameInvalid');
    assertProblem(await control.call('/v1/layers/libs/versions/0'), 400, 'BadRequest');
  });

  it('are there before a function builds on them, and stay for as long as a version that is kept does', async (t) => {
    const control = await startUnderTest(t);
    assertProblem(await deploy(control, 'hello', ['libs:1']), 400, 'LayerMissing', /no layer "libs"; publish it first/, 'config.layers');
    const { json: layer } = await publish(control, 'libs');
    await publish(control, 'tools', { 'bin/tool': 'x' });
    assertProblem(await deploy(control, 'hello', ['libs:4']), 400, 'LayerMissing', /libs:4.*"libs" has version 1 alone/);
    const deployed = await deploy(control, 'hello', ['tools:1', 'libs:1']);
    assert.equal(deployed.status, 201, deployed.text);
    const { layerDigests, config } = deployed.json['version'] as { layerDigests: string[]; config: { layers: string[] } };
    assert.deepEqual([config.layers, layerDigests[1]], [['tools:1', 'libs:1'], layer['digest']]);
    assert.equal((await deploy(control, 'hello', ['tools:1', 'libs:1'])).json['created'], false);
    assertProblem(await remove(control, 'libs:1'), 409, 'LayerInUse', /the function "hello"/);
    assert.equal((await deploy(control, 'hello', [])).json['created'], true);
    assertProblem(await remove(control, 'libs:1'), 409, 'LayerInUse', /kept/);
    assert.equal((await control.call('/v1/functions/hello', { method: 'DELETE' })).status, 204);
    assert.equal((await remove(control, 'libs:1')).status, 204);
  });

  it('are five at most, none of them twice', async (t) => {
    const control = await startUnderTest(t);
    const six = ['a:1', 'b:1', 'c:1', 'd:1', 'e:1', 'f:1'];
    for (const [layers, detail] of [
      [six, /at most 5 layers/],
      [['a:1', 'a:2'], /there twice/],
      [['a'], /name:version/],
      [['a:0'], /name:version/],
    ] as const)
      assertProblem(await deploy(control, 'hello', layers), 400, 'ManifestInvalid', detail);
  });

  it('may have what a custom runtime starts', async (t) => {
    const control = await startUnderTest(t);
    await publish(control, 'runtime', { bootstrap: '#!/bin/sh' });
    assertProblem(await deploy(control, 'own', [], { runtime: 'provided' }), 422, 'HandlerNotFound', /bootstrap/);
    assert.equal((await deploy(control, 'own', ['runtime:1'], { runtime: 'provided' })).status, 201);
  });

  it('are nobody else’s', async (t) => {
    const under = await startTenants(t);
    const digest = await under.bundle(library);
    const made = await under.call('/v1/layers/libs/versions', { method: 'POST', body: JSON.stringify({ digest }) });
    assert.equal(made.status, 201, made.text);
    await under.createTenant('acme');
    const other = { headers: { 'x-swiftlet-tenant': 'acme' } };
    assert.deepEqual((await under.call('/v1/layers', other)).json, { layers: [] });
    assertProblem(await under.call('/v1/layers/libs/versions/1', other), 404, 'LayerNotFound');
    assertProblem(await under.call('/v1/layers/libs/versions/1', { ...other, method: 'DELETE' }), 404, 'LayerNotFound');
    const theirs = await under.call('/v1/layers/libs/versions', { ...other, method: 'POST', body: JSON.stringify({ digest }) });
    assertProblem(theirs, 404, 'NotFound', /upload it/, 'digest');
  });
});
