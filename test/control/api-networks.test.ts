import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startTenants } from './access-under-test.ts';
import { assertProblem, type ControlUnderTest, startUnderTest } from './control-under-test.ts';

const proxies = ['192.0.2.10', '192.0.2.11'];
const office = { ranges: ['10.20.0.0/16'], proxies };

const make = (control: ControlUnderTest, name: string, settings: object = office) => control.put(`/v1/networks/${name}`, settings);
const remove = (control: ControlUnderTest, path: string) => control.call(path, { method: 'DELETE' });
const deploy = async (control: ControlUnderTest, name: string, names: readonly string[]) =>
  control.put(`/v1/functions/${name}`, {
    digest: await control.bundle(),
    config: names.length === 0 ? {} : { network: { private: names } },
  });

describe('private networks in the API', () => {
  it('are made, described and removed', async (t) => {
    const control = await startUnderTest(t);
    const made = await make(control, 'office');
    assert.equal(made.status, 201, made.text);
    const [one, other] = made.json['tunnels'] as [number, number];
    assert.ok(one >= 2 && other === one + 1 && other < 2 ** 24);
    assert.deepEqual({ ...(await make(control, 'office')).json }, made.json, 'the same once more changes nothing');
    assert.equal((await make(control, 'office')).status, 200);
    assertProblem(await make(control, 'office', { ...office, ranges: ['10.30.0.0/16'] }), 409, 'NetworkExists', /other settings/);
    assert.deepEqual((await control.call('/v1/networks')).json, { networks: [made.json] });
    assert.deepEqual((await control.call('/v1/networks/office')).json, made.json, 'nothing is known of its state without an agent');
    assert.equal((await remove(control, '/v1/networks/office')).status, 204);
    assertProblem(await control.call('/v1/networks/office'), 404, 'NetworkNotFound', /swiftlet network list/);
    assertProblem(await remove(control, '/v1/networks/office'), 404, 'NetworkNotFound');
  });

  it('are refused with the place when their settings make no sense', async (t) => {
    const control = await startUnderTest(t);
    const cases: readonly (readonly [settings: object, place: RegExp, detail: RegExp])[] = [
      [{ ranges: ['10.20.0.0/33'], proxies }, /ranges/, /no address and no range/],
      [{ ranges: ['10.0.0.0/8', '10.20.0.0/16'], proxies }, /ranges/, /overlaps/],
      [{ ranges: ['127.0.0.0/8'], proxies }, /ranges/, /every host’s own/],
      [{ ranges: ['10.20.0.0/16'], proxies: ['192.0.2.10'] }, /proxies/, /two proxies/],
      [{ ranges: ['10.20.0.0/16'] }, /proxies/, /two proxies/],
      [{ ranges: ['10.20.0.0/16'], proxies: ['proxy.example', '192.0.2.10'] }, /proxies/, /named by its IPv4 address/],
      [{ ranges: ['10.20.0.0/16'], proxies: ['192.0.2.10', '192.0.2.10'] }, /proxies/, /hosts of their own/],
    ];
    for (const [settings, place, detail] of cases) {
      const refused = await make(control, 'office', settings);
      assertProblem(refused, 400, 'BadRequest', detail);
      assert.match(String(refused.json['place']), place);
    }
    assertProblem(await make(control, 'No%20name'), 400, 'NameInvalid');
  });

  it('are there before a function names them, and stay for as long as one does', async (t) => {
    const control = await startUnderTest(t);
    assertProblem(
      await deploy(control, 'hello', ['office']),
      422,
      'NetworkMissing',
      /swiftlet network create office/,
      'config.network.private',
    );
    await make(control, 'office');
    assert.equal((await deploy(control, 'hello', ['office'])).status, 201);
    assert.deepEqual((await control.call('/v1/networks/office')).json['functions'], ['hello']);
    assertProblem(await remove(control, '/v1/networks/office'), 409, 'NetworkInUse', /the function "hello"/);
    assert.equal((await remove(control, '/v1/functions/hello')).status, 204);
    assert.equal((await remove(control, '/v1/networks/office')).status, 204);
  });

  it('with addresses in common are not named by one function', async (t) => {
    const control = await startUnderTest(t);
    await make(control, 'office');
    await make(control, 'plant', { ...office, ranges: ['10.20.7.0/24'] });
    await make(control, 'shop', { ...office, ranges: ['10.21.0.0/16'] });
    assertProblem(
      await deploy(control, 'hello', ['office', 'plant']),
      400,
      'ManifestInvalid',
      /"office" and "plant", which have addresses in common/,
      'config.network.private',
    );
    assert.equal((await deploy(control, 'hello', ['office', 'shop'])).status, 201);
  });

  it('are a tenant’s own: two have the same name and addresses, with tunnels of their own; who develops makes none', async (t) => {
    const under = await startTenants(t);
    const tunnels: unknown[] = [];
    for (const tenant of ['acme', 'other']) {
      await under.createTenant(tenant);
      const { token } = await under.createToken(tenant, 'admin');
      const made = await under.as(token, '/v1/networks/office', { method: 'PUT', body: JSON.stringify(office) });
      assert.equal(made.status, 201, made.text);
      tunnels.push(made.json['tunnels']);
    }
    assert.notDeepEqual(tunnels[0], tunnels[1]);
    const { token } = await under.createToken('acme', 'developer');
    assert.equal((await under.as(token, '/v1/networks/office')).status, 200);
    assert.equal((await under.as(token, '/v1/networks/office', { method: 'DELETE' })).json['code'], 'Forbidden');
    assert.equal((await under.deploy('acme', 'uses', { token, config: { network: { private: ['office'] } } })).status, 201);
  });

  it('a function that says nothing of its network has its tenant’s policy from its deployment on', async (t) => {
    const under = await startTenants(t);
    await under.createTenant('acme', { network: { allow: ['203.0.113.0/24:443'] } });
    const { token } = await under.createToken('acme', 'admin');
    const policyAfter = async (config: object) => {
      await under.deploy('acme', 'hello', { token, config });
      const { json } = await under.as(token, '/v1/functions/hello');
      return (json['serving'] as { config: { network: unknown } }).config.network;
    };
    assert.deepEqual(await policyAfter({}), { allow: ['203.0.113.0/24:443'] });
    assert.equal(await policyAfter({ network: 'internet' }), 'internet');
    const refused = await under.put('/v1/tenants/acme', { network: { allow: ['nowhere at all'] } });
    assertProblem(refused, 400, 'BadRequest', /nowhere at all/);
    await under.put('/v1/tenants/acme', { network: 'none' });
    assert.equal(await policyAfter({ memoryMiB: 256 }), 'none');
  });

  it('are sixteen of a tenant at most', async (t) => {
    const control = await startUnderTest(t);
    for (let at = 0; at < 16; at++) assert.equal((await make(control, `office-${at}`)).status, 201);
    assertProblem(await make(control, 'office-16'), 429, 'QuotaExceeded', /no tenant has more/, 'networks');
  });

  it('outlast a restart of control', async (t) => {
    const first = await startUnderTest(t);
    await make(first, 'office');
    const { json } = await first.call('/v1/networks/office');
    await first.stop();
    const second = await startUnderTest(t, first.folder);
    assert.deepEqual((await second.call('/v1/networks/office')).json, json);
  });
});
