/** What every Store promises, whichever it is. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { Deployment, Store } from '../../src/control/store.ts';
import { SwiftletError } from '../../src/model/errors.ts';
import { functionConfigSchema } from '../../src/model/function.ts';
import { tenantSettingsSchema } from '../../src/model/tenant.ts';
import { allTo, shareOf } from '../../src/model/traffic.ts';
import type { Contents } from '../../src/model/size.ts';
import type { Change } from '../../src/wire/published-state.ts';

export interface StoreUnderTest {
  readonly store: Store;
  /** Closes the store and opens it again on the same data. */
  reopen(): Promise<Store>;
}

const digest = (digit: string): string => digit.repeat(64);
const config = functionConfigSchema.parse({});
export const deploymentOf = (change: Partial<Deployment> = {}): Deployment => ({
  tenant: 'default',
  function: 'hello',
  digest: digest('a'),
  config,
  createdAt: '2026-01-02T03:04:05.000Z',
  ...change,
});
export const artifactOf = (digit: string, tenant = 'default') => ({ tenant, digest: digest(digit), size: 10, files: ['index.js'] });

/** @param open makes an empty store; its remains are removed after the test */
export function storeSuite(name: string, open: (t: TestContext) => Promise<StoreUnderTest>): void {
  const filled = async (t: TestContext) => {
    const under = await open(t);
    await under.store.tenants.set('other', tenantSettingsSchema.parse({}), '2026-01-02T03:04:05.000Z', true);
    for (const digit of ['a', 'b', 'c']) await under.store.addArtifact(artifactOf(digit), 0);
    return under;
  };

  describe(`the ${name} store`, () => {
    it('numbers versions, and the latest serves', async (t) => {
      const { store } = await filled(t);
      const first = await store.deploy(deploymentOf());
      assert.ok(first.kind === 'created' && first.isFirst);
      assert.equal(first.version.number, 1);
      assert.equal(first.version.size, 10);
      const second = await store.deploy(deploymentOf({ digest: digest('b') }));
      assert.ok(second.kind === 'created' && !second.isFirst);
      assert.equal(second.version.number, 2);
      assert.deepEqual(
        (await store.versions('default', 'hello')).map((version) => version.number),
        [2, 1],
      );
      assert.deepEqual((await store.findFunction('default', 'hello'))?.serving, second.version);
    });

    it('makes no version of what serves already', async (t) => {
      const { store } = await filled(t);
      const environment = { A: '1', B: '2' };
      const first = await store.deploy(deploymentOf({ config: { ...config, environment } }));
      const again = await store.deploy(deploymentOf({ config: { ...config, environment: { B: '2', A: '1' } } }));
      assert.ok(first.kind === 'created' && again.kind === 'unchanged');
      assert.equal(again.revision, first.revision);
      const other = await store.deploy(deploymentOf({ config: { ...config, environment: { A: '1' } } }));
      assert.equal(other.kind, 'created');
    });

    it('never gives a number twice, even when the function was removed in between', async (t) => {
      const under = await filled(t);
      await under.store.deploy(deploymentOf());
      await under.store.deploy(deploymentOf({ digest: digest('b') }));
      await under.store.remove('default', 'hello');
      const store = await under.reopen();
      const next = await store.deploy(deploymentOf());
      assert.ok(next.kind === 'created' && next.isFirst);
      assert.equal(next.version.number, 3);
    });

    it('refuses a deployment that expected something else', async (t) => {
      const { store } = await filled(t);
      assert.deepEqual(await store.deploy(deploymentOf({ expected: 1 })), { kind: 'stale', serving: undefined });
      assert.equal((await store.deploy(deploymentOf({ expected: 'none' }))).kind, 'created');
      assert.deepEqual(await store.deploy(deploymentOf({ expected: 'none', digest: digest('b') })), { kind: 'stale', serving: 1 });
      assert.deepEqual(await store.deploy(deploymentOf({ expected: 7, digest: digest('b') })), { kind: 'stale', serving: 1 });
      const many = Array.from({ length: 100 }, (_, i) =>
        store.deploy(deploymentOf({ expected: 1, config: { ...config, timeoutMs: 1_000 + i } })),
      );
      const kinds = (await Promise.all(many)).map((outcome) => outcome.kind);
      assert.equal(kinds.filter((kind) => kind === 'created').length, 1);
      assert.equal(kinds.filter((kind) => kind === 'stale').length, 99);
    });

    it('refuses a deployment of an artifact that the tenant does not have', async (t) => {
      const { store } = await filled(t);
      await store.addArtifact(artifactOf('d', 'other'), 0);
      assert.deepEqual(await store.deploy(deploymentOf({ digest: digest('d') })), { kind: 'artifact missing' });
      assert.equal(await store.findFunction('default', 'hello'), undefined);
    });

    it('tells each change to those who watch, before the caller knows, in order', async (t) => {
      const { store } = await filled(t);
      const seen: Change[] = [];
      const watching = store.watch((change) => seen.push(change));
      const first = await store.deploy(deploymentOf());
      assert.ok(first.kind === 'created');
      assert.deepEqual(seen, [
        {
          revision: first.revision,
          change: {
            kind: 'served',
            function: {
              tenant: 'default',
              name: 'hello',
              serving: first.version,
              routing: {
                others: [],
                aliases: [{ name: 'live', versions: allTo(1), sticky: undefined }],
                minimums: [],
                standby: [],
                watch: undefined,
              },
            },
          },
        },
      ]);
      await store.deploy(deploymentOf());
      await Promise.all([
        store.deploy(deploymentOf({ digest: digest('b') })),
        store.remove('default', 'hello'),
        store.remove('default', 'hello'),
      ]);
      assert.deepEqual(
        seen.map(({ revision, change }) => [revision - first.revision, change.kind]),
        [
          [0, 'served'],
          [1, 'served'],
          [2, 'removed'],
        ],
      );
      watching[Symbol.dispose]();
      await store.deploy(deploymentOf());
      assert.equal(seen.length, 3);
    });

    it('keeps everything over a restart, the revision too', async (t) => {
      const under = await filled(t);
      await under.store.deploy(deploymentOf({ config: functionConfigSchema.parse({ environment: { KEY: 'ü "\n' }, memoryMiB: 256 }) }));
      await under.store.deploy(deploymentOf({ function: 'other', tenant: 'default', digest: digest('b') }));
      const before = await under.store.snapshot();
      const store = await under.reopen();
      assert.deepEqual(await store.snapshot(), before);
      assert.equal(before.functions.length, 2);
      const removed = await store.remove('default', 'other');
      assert.equal(removed, before.revision + 1);
    });

    it('keeps tenants apart', async (t) => {
      const { store } = await filled(t);
      await store.addArtifact(artifactOf('a', 'other'), 0);
      await store.deploy(deploymentOf());
      const theirs = await store.deploy(deploymentOf({ tenant: 'other' }));
      assert.ok(theirs.kind === 'created' && theirs.version.number === 1);
      await store.remove('other', 'hello');
      assert.equal((await store.functions('default', { limit: 10 })).length, 1);
      assert.deepEqual(await store.versions('other', 'hello'), []);
      assert.equal(await store.findArtifact('third', digest('a')), undefined);
      assert.equal(await store.touchArtifact('third', digest('a'), 1), false);
    });

    it('keeps private networks of tenants apart, with numbers of their own, and tells of them', async (t) => {
      const under = await filled(t);
      const { networks } = under.store;
      const seen: Change[] = [];
      under.store.watch((change) => seen.push(change));
      const settings = { ranges: ['10.20.0.0/16'], proxies: ['192.0.2.10', '192.0.2.11'] as [string, string] };
      const numbers = [7, 7, 8].values();
      const draw = () => numbers.next().value ?? assert.fail();
      for (const tenant of ['default', 'other']) {
        const made = await networks.create(tenant, 'office', settings, '2026-01-02T03:04:05.000Z', draw);
        assert.equal(made.kind, 'created');
      }
      assert.deepEqual([(await networks.find('default', 'office'))?.number, (await networks.find('other', 'office'))?.number], [7, 8]);
      const before = await under.store.snapshot();
      assert.equal(before.networks.length, 2);
      const store = await under.reopen();
      assert.deepEqual((await store.snapshot()).networks, before.networks);
      assert.deepEqual(
        seen.map(({ change }) => change.kind),
        ['network set', 'network set'],
      );
      assert.deepEqual(await store.networks.remove('default', 'office'), { kind: 'removed' });
      assert.deepEqual(await store.networks.remove('default', 'office'), { kind: 'missing' });
      // A tenant's networks go with it.
      await store.tenants.remove('other', '2026-01-02T03:04:05.000Z');
      assert.deepEqual((await store.snapshot()).networks, []);
    });

    it('lets no private network go that a version names which requests may go to', async (t) => {
      const { store } = await filled(t);
      const named = { ...config, network: { private: ['office'] } };
      await assert.rejects(
        store.deploy(deploymentOf({ config: named })),
        (error) => error instanceof SwiftletError && error.code === 'NetworkMissing',
      );
      const settings = { ranges: ['10.20.0.0/16'], proxies: ['192.0.2.10', '192.0.2.11'] as [string, string] };
      await store.networks.create('default', 'office', settings, '2026-01-02T03:04:05.000Z', () => 7);
      await store.deploy(deploymentOf({ config: named }));
      // A way back leads to it.
      await store.deploy(deploymentOf({ digest: digest('b') }));
      assert.deepEqual(await store.networks.remove('default', 'office'), { kind: 'in use', functions: ['hello'] });
      await store.remove('default', 'hello');
      assert.deepEqual(await store.networks.remove('default', 'office'), { kind: 'removed' });
    });

    it('lists functions by name, a page at a time', async (t) => {
      const { store } = await filled(t);
      for (const name of ['d', 'b', 'a', 'c']) await store.deploy(deploymentOf({ function: name }));
      const names = async (limit: number, after?: string) =>
        (await store.functions('default', { limit, ...(after === undefined ? {} : { after }) })).map((record) => record.name);
      assert.deepEqual(await names(2), ['a', 'b']);
      assert.deepEqual(await names(2, 'b'), ['c', 'd']);
      assert.deepEqual(await names(2, 'd'), []);
    });

    it('drops versions, but never the one that serves', async (t) => {
      const { store } = await filled(t);
      for (const digit of ['a', 'b', 'c']) await store.deploy(deploymentOf({ digest: digest(digit) }));
      await store.dropVersions('default', 'hello', [1, 3, 99]);
      assert.deepEqual(
        (await store.versions('default', 'hello')).map((version) => version.number),
        [3, 2],
      );
    });

    it('divides requests as it is told, and tells it to those who watch', async (t) => {
      const { store } = await filled(t);
      await store.deploy(deploymentOf());
      await store.deploy(deploymentOf({ digest: digest('b') }));
      const seen: Change[] = [];
      store.watch((change) => seen.push(change));
      const changed = await store.changeTraffic('default', 'hello', (traffic, kept) => {
        assert.deepEqual([...kept].sort(), [1, 2]);
        return { ...traffic, live: { ...traffic.live, versions: shareOf(2, 2.5, 1) } };
      });
      assert.ok(changed !== undefined);
      assert.deepEqual(changed.traffic.live.versions, shareOf(2, 2.5, 1));
      const [published] = seen.flatMap(({ change }) => (change.kind === 'served' ? [change.function] : []));
      assert.deepEqual([published?.serving.number, published?.routing.others.map(({ number }) => number)], [1, [2]]);
      assert.deepEqual(published?.routing.aliases, [{ name: 'live', versions: shareOf(2, 2.5, 1), sticky: undefined }]);
      assert.equal((await store.findFunction('default', 'hello'))?.serving.number, 1);
      assert.deepEqual((await store.snapshot()).functions, [published]);
      assert.equal(seen[0]?.revision, changed.revision);
    });

    it('changes nothing of traffic when nothing is decided, or the decision throws, or there is no function', async (t) => {
      const { store } = await filled(t);
      const first = await store.deploy(deploymentOf());
      const seen: Change[] = [];
      store.watch((change) => seen.push(change));
      const same = await store.changeTraffic('default', 'hello', (traffic) => traffic);
      assert.equal(same?.revision, first.kind === 'created' && first.revision);
      const refused = store.changeTraffic('default', 'hello', () => {
        throw new SwiftletError('Conflict', 'no');
      });
      await assert.rejects(refused, { code: 'Conflict' });
      assert.equal(await store.changeTraffic('default', 'nobody', (traffic) => traffic), undefined);
      assert.equal(await store.traffic('other', 'hello'), undefined);
      assert.deepEqual(seen, []);
    });

    it('begins a rollout with a deployment, knows it over a restart, and refuses another one', async (t) => {
      const under = await filled(t);
      const plan = { strategy: 'blue-green', keepMs: 1_000 } as const;
      await under.store.deploy(deploymentOf({ plan }));
      assert.deepEqual(await under.store.moving(), [], 'the first version has everything at once');
      const second = await under.store.deploy(deploymentOf({ digest: digest('b'), plan }));
      assert.ok(second.kind === 'created');
      assert.equal(second.traffic.rollout?.state.kind, 'started');
      const store = await under.reopen();
      assert.deepEqual(await store.moving(), [{ tenant: 'default', name: 'hello' }]);
      assert.deepEqual(await store.traffic('default', 'hello'), JSON.parse(JSON.stringify(second.traffic)));
      const again = await store.deploy(deploymentOf({ digest: digest('b') }));
      assert.ok(again.kind === 'unchanged' && again.version.number === 2 && again.serving === 1);
      await assert.rejects(store.deploy(deploymentOf({ digest: digest('c') })), { code: 'Conflict' });
      assert.equal((await store.versions('default', 'hello')).length, 2, 'nothing of the refused one is kept');
    });

    it('drops no version that traffic needs', async (t) => {
      const { store } = await filled(t);
      for (const digit of ['a', 'b', 'c']) await store.deploy(deploymentOf({ digest: digest(digit) }));
      await store.deploy(deploymentOf({ digest: digest('a') }));
      await store.changeTraffic('default', 'hello', (traffic) => ({
        ...traffic,
        others: { beta: { versions: allTo(1), updatedAt: traffic.live.updatedAt } },
      }));
      await store.dropVersions('default', 'hello', [1, 2, 3, 4]);
      const kept = (await store.versions('default', 'hello')).map((version) => version.number);
      assert.deepEqual(kept, [4, 3, 1], 'what serves, the way back, and what an alias refers to');
    });

    it('drops artifacts that nobody needs and nobody has touched', async (t) => {
      const { store } = await filled(t);
      await store.deploy(deploymentOf());
      await store.addArtifact(artifactOf('d', 'other'), 0);
      assert.ok(await store.touchArtifact('default', digest('b'), 1_000));
      await store.addArtifact(artifactOf('a', 'other'), 2_000);
      await store.addArtifact(artifactOf('c'), 1_000);
      await store.dropArtifacts(999);
      assert.deepEqual([...(await store.digests())].sort(), [digest('a'), digest('b'), digest('c')]);
      await store.dropArtifacts(1_000);
      assert.deepEqual([...(await store.digests())], [digest('a')]);
      await store.remove('default', 'hello');
      await store.dropArtifacts(3_000);
      assert.equal((await store.digests()).size, 0);
    });

    it('knows what artifacts’ files come to, and whose have the same, within a tenant, for as long as they are kept', async (t) => {
      const under = await filled(t);
      const { store } = under;
      const contentsOf = (...contents: string[]): Contents => ({
        bytes: 100_000,
        files: 9,
        parts: contents.map((content, i) => ({
          path: `node_modules/${i}`,
          kind: 'npm',
          bytes: 50_000,
          files: 4,
          content: digest(content),
          needlessBytes: 0,
        })),
        needless: [],
      });
      await store.addArtifact({ ...artifactOf('d'), contents: contentsOf('1', '2') }, 0);
      await store.addArtifact({ ...artifactOf('d'), contents: contentsOf('3') }, 0);
      await store.addArtifact({ ...artifactOf('e'), contents: contentsOf('2', '2') }, 0);
      await store.addArtifact({ ...artifactOf('d', 'other'), contents: contentsOf('1') }, 0);
      for (const tenant of ['default', 'other']) await store.deploy(deploymentOf({ tenant, digest: digest('d') }));
      await store.deploy(deploymentOf({ function: 'another', digest: digest('e') }));
      const reopened = await under.reopen();
      assert.deepEqual(await reopened.sizes.find('default', digest('d')), contentsOf('1', '2'));
      assert.equal(await reopened.sizes.find('default', digest('a')), undefined);
      const uses = async () =>
        (await reopened.sizes.uses('default', digest('d'))).map((use) => `${use.function} ${use.digest[0]} ${use.content[0]}`).sort();
      assert.deepEqual(await uses(), ['another e 2', 'hello d 1', 'hello d 2']);
      await reopened.remove('default', 'another');
      await reopened.dropArtifacts(1);
      assert.deepEqual(await uses(), ['hello d 1', 'hello d 2']);
      assert.equal(await reopened.sizes.find('default', digest('e')), undefined);
    });

    it('lets a token end at another time, and tells it to those who watch', async (t) => {
      const under = await filled(t);
      const { store } = under;
      const token = { id: '0123456789abcdef', name: 'ci', hash: 'h', grant: { role: 'viewer', tenant: 'other' } as const };
      await store.tokens.add({ ...token, createdAt: '2026-01-02T03:04:05.000Z', createdBy: 'root' });
      const changes: Change[] = [];
      using _watching = store.watch((change) => changes.push(change));
      const ends = '2026-02-02T03:04:05.000Z';
      assert.equal(await store.tokens.expire('default', token.id, ends), undefined, 'of another tenant');
      const ended = await store.tokens.expire('other', token.id, ends);
      assert.deepEqual([ended?.token.expiresAt, ended?.revision], [ends, changes[0]?.revision]);
      assert.deepEqual(changes[0]?.change, {
        kind: 'token granted',
        token: { id: token.id, hash: 'h', grant: token.grant, expiresAt: ends },
      });
      assert.equal((await (await under.reopen()).tokens.list('other'))[0]?.expiresAt, ends);
    });

    it('keeps what Lambda’s API says of a function, as long as there is the function', async (t) => {
      const under = await filled(t);
      const { store } = under;
      const describe = (description: string) => store.lambda.change('default', 'hello', (record) => ({ ...record, description }));
      assert.equal(await describe('d'), undefined, 'there is no such function');
      await store.deploy(deploymentOf());
      const { revision } = await store.snapshot();
      assert.deepEqual([await describe('d'), await describe('e')], [revision, revision]);
      const again = await under.reopen();
      assert.equal((await again.lambda.find('default', 'hello'))?.description, 'e');
      assert.equal(await again.lambda.find('other', 'hello'), undefined);
      await again.remove('default', 'hello');
      await again.deploy(deploymentOf());
      assert.equal(await again.lambda.find('default', 'hello'), undefined);
    });

    it('publishes whom a function’s policy lets in, with the function', async (t) => {
      const under = await filled(t);
      const { store } = under;
      await store.deploy(deploymentOf());
      const changes: Change[] = [];
      using _watching = store.watch((change) => changes.push(change));
      const guest = { kind: 'account', account: '123456789012' } as const;
      const statement = { id: 's', action: 'lambda:InvokeFunction', principal: guest.account, guest, opens: false };
      const revision = await store.lambda.change('default', 'hello', (record) => ({ ...record, statements: [statement] }));
      const policy = { isOpen: false, guests: [{ guest }] };
      assert.deepEqual(
        changes.map((one) => [one.revision, one.change.kind === 'served' && one.change.function.policy]),
        [[revision, policy]],
      );
      assert.deepEqual((await (await under.reopen()).snapshot()).functions[0]?.policy, policy);
    });

    it('gives a route to one function only, and tells whoever else wants it who has it', async (t) => {
      const under = await filled(t);
      const { store } = under;
      const has = (name: string, paths: readonly string[], more: Partial<Deployment> = {}) => {
        const routes = paths.map((path) => ({ path }));
        return store.deploy(deploymentOf({ function: name, config: functionConfigSchema.parse({ routes }), ...more }));
      };
      const refused = (place: string, detail: RegExp) => (error: unknown) => {
        assert.ok(error instanceof SwiftletError && error.code === 'RouteConflict', String(error));
        assert.match(error.message, detail);
        assert.equal(error.place, place);
        return true;
      };
      await has('one', ['/a/{x}', '/b']);
      const { revision } = await store.snapshot();
      const taken = /^function "two" wants ANY \/a\/\{y\}, which function "one" has/;
      await assert.rejects(has('two', ['/c', '/a/{y}']), refused('routes.1.path', taken));
      await assert.rejects(has('two', ['/one/x']), refused('routes.0.path', /\/one is the address of function "one"/));
      await assert.rejects(has('b', []), refused('name', /routes of function "one" begin with \/b, where function "b"/));
      const still = await under.reopen();
      assert.deepEqual([(await still.snapshot()).revision, await still.findFunction('default', 'two')], [revision, undefined]);
      await assert.rejects(
        still.deploy(deploymentOf({ function: 'two', config: functionConfigSchema.parse({ routes: [{ path: '/b' }] }) })),
      );
    });

    it('frees a route with the version that had it, and holds it while another version takes over', async (t) => {
      const { store } = await filled(t);
      const canary = { strategy: 'canary' as const, steps: [{ weight: 5, forMs: 1_000 }] };
      const has = (name: string, path: string, more: Partial<Deployment> = {}) =>
        store.deploy(deploymentOf({ function: name, config: functionConfigSchema.parse({ routes: [{ path }] }), ...more }));
      await has('one', '/a');
      await has('one', '/b', { plan: canary });
      await assert.rejects(has('two', '/a'), /which function "one" has/);
      await assert.rejects(has('two', '/b'), /which function "one" has/);
      await store.changeTraffic('default', 'one', (traffic) => {
        const { live, rollout } = traffic;
        if (rollout === undefined) return traffic;
        return { ...traffic, live: { ...live, versions: allTo(2) }, rollout: { ...rollout, state: { kind: 'completed', atMs: 1 } } };
      });
      await has('two', '/a');
      await assert.rejects(
        store.changeTraffic('default', 'one', (traffic) => ({ ...traffic, live: { ...traffic.live, versions: allTo(1) } })),
        /function "one" wants ANY \/a, which function "two" has/,
      );
      await store.remove('default', 'two');
      await has('three', '/a');
    });

    it('lets a tenant name the hosts that it was given, and nobody else those', async (t) => {
      const { store } = await filled(t);
      const at = '2026-01-02T03:04:05.000Z';
      await store.addArtifact(artifactOf('a', 'other'), 0);
      const has = (tenant: string, host: string) =>
        store.deploy(deploymentOf({ tenant, config: functionConfigSchema.parse({ routes: [{ path: '/', host }] }) }));
      await assert.rejects(has('other', 'api.other.example'), /swiftlet tenant set other --host api\.other\.example/);
      await has('default', 'api.free.example');
      await store.tenants.set('other', tenantSettingsSchema.parse({ hosts: ['*.other.example', 'api.free.example'] }), at, false);
      await assert.rejects(has('default', 'api.other.example'), /it was given to another one/);
      await assert.rejects(has('other', 'api.free.example'), /which a function of another tenant has/);
      await has('other', 'api.other.example');
      await assert.rejects(has('other', 'a.b.other.example'), /may not name the host a\.b\.other\.example/);
    });

    it('rejects everything once it is closed', async (t) => {
      const { store } = await filled(t);
      await store[Symbol.asyncDispose]();
      await store[Symbol.asyncDispose]();
      await assert.rejects(store.snapshot());
      await assert.rejects(store.deploy(deploymentOf()));
    });
  });
}
