/** What every Store promises of secrets and audit records, whichever it is. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { SealedValue } from '../../src/control/secrets/seal.ts';
import { functionConfigSchema } from '../../src/model/function.ts';
import { type Attempt, type AuditEntry, canonicalJson, ChainCheck, genesis } from '../../src/model/audit.ts';
import { artifactOf, deploymentOf, type StoreUnderTest } from './store-suite.ts';

const at = '2026-01-02T03:04:05.000Z';
const sealed =
  (rootKeyId: string) =>
  (version: number): SealedValue => ({
    rootKeyId,
    wrappedKey: Buffer.from(`key ${version}`),
    sealed: Buffer.from(`value ${version}`),
  });
const attemptOf = (requestId: string, tenant = 'default'): Attempt => ({
  time: at,
  tenant,
  actor: { kind: 'root', id: 'root' },
  source: '127.0.0.1',
  action: 'PUT /v1/secrets/:secret',
  target: '/v1/secrets/db',
  requestId,
});
const entry = (requestId: string): AuditEntry => ({ ...attemptOf(requestId), result: { status: 201 } });

/** @param open makes an empty store; its remains are removed after the test */
export function guardedStoreSuite(name: string, open: (t: TestContext) => Promise<StoreUnderTest>): void {
  describe(`secrets in the ${name} store`, () => {
    it('are numbered for ever, and only the newest value is kept', async (t) => {
      const under = await open(t);
      const { secrets } = under.store;
      assert.equal((await secrets.create('default', 'db', sealed('k'), at))?.version, 1);
      assert.equal(await secrets.create('default', 'db', sealed('k'), at), undefined);
      assert.equal((await secrets.replace('default', 'db', sealed('k'), at))?.version, 2);
      assert.deepEqual((await secrets.find('default', 'db'))?.value.sealed, Buffer.from('value 2'));
      assert.deepEqual(await secrets.remove('default', 'db'), { kind: 'removed', version: 2 });
      assert.deepEqual(await secrets.remove('default', 'db'), { kind: 'missing' });
      assert.equal(await secrets.replace('default', 'db', sealed('k'), at), undefined);
      const again = (await under.reopen()).secrets;
      assert.equal((await again.create('default', 'db', sealed('k'), at))?.version, 3);
    });

    it('are a tenant’s own', async (t) => {
      const { store } = await open(t);
      await store.secrets.create('acme', 'db', sealed('k'), at);
      assert.deepEqual(await store.secrets.list('default'), []);
      assert.equal(await store.secrets.find('default', 'db'), undefined);
      assert.deepEqual(await store.secrets.remove('default', 'db'), { kind: 'missing' });
      assert.deepEqual(
        (await store.secrets.all()).map(({ tenant }) => tenant),
        ['acme'],
      );
    });

    it('are wrapped anew all together, or none', async (t) => {
      const { store } = await open(t);
      for (const one of ['a', 'b', 'c']) await store.secrets.create('default', one, sealed('old'), at);
      const rootKeys = async () => (await store.secrets.all()).map(({ value }) => value.rootKeyId);
      const failing = store.secrets.rewrapAll(({ name: one, value }) => {
        if (one === 'c') throw new Error('no key');
        return { ...value, rootKeyId: 'new' };
      });
      await assert.rejects(failing, /no key/);
      assert.deepEqual(await rootKeys(), ['old', 'old', 'old']);
      assert.equal(await store.secrets.rewrapAll(({ name: one, value }) => (one === 'b' ? undefined : { ...value, rootKeyId: 'new' })), 2);
      assert.deepEqual(await rootKeys(), ['new', 'old', 'new']);
    });

    it('that are not set keep a version from being made', async (t) => {
      const { store } = await open(t);
      await store.addArtifact(artifactOf('a'), 0);
      const config = functionConfigSchema.parse({ secrets: { A: { secret: 'db' }, B: { secret: 'tls' } } });
      assert.deepEqual(await store.deploy(deploymentOf({ config })), { kind: 'secrets missing', names: ['db', 'tls'] });
      assert.equal(await store.findFunction('default', 'hello'), undefined);
      for (const one of ['db', 'tls']) await store.secrets.create('default', one, sealed('k'), at);
      assert.equal((await store.deploy(deploymentOf({ config }))).kind, 'created');
      assert.deepEqual(
        [...(await store.secrets.users('default'))],
        [
          ['db', ['hello']],
          ['tls', ['hello']],
        ],
      ); // prettier-ignore
      assert.deepEqual(await store.secrets.remove('default', 'db'), { kind: 'in use', functions: ['hello'] });
    });
  });

  describe(`audit records in the ${name} store`, () => {
    it('are a chain, over a restart and from where it was cut', async (t) => {
      const under = await open(t);
      assert.deepEqual(await under.store.audit.head(), genesis);
      await under.store.audit.append([entry('1'), entry('2')]);
      const { audit } = await under.reopen();
      const [third] = await audit.append([entry('3')]);
      const check = new ChainCheck(genesis);
      for (const { line } of await audit.lines({ after: 0, limit: 10 })) assert.equal(check.take(line), undefined);
      assert.deepEqual([check.head.hash, (await audit.head()).hash], [third?.hash, third?.hash]);
      await audit.trim(2);
      assert.deepEqual(
        (await audit.lines({ after: 0, limit: 10 })).map(({ seq }) => seq),
        [3],
      );
      assert.deepEqual([(await audit.anchor()).seq, (await audit.anchor()).hash], [2, third?.previous]);
      await audit.trim(3);
      assert.equal((await audit.append([entry('4')]))[0]?.previous, third?.hash);
    });

    it('know what was begun and has no end', async (t) => {
      const under = await open(t);
      const attempt = attemptOf('1');
      await under.store.audit.begin(attempt);
      await under.store.audit.begin({ ...attempt, requestId: '2' });
      await under.store.audit.append([entry('2')]);
      const { audit } = await under.reopen();
      assert.deepEqual((await audit.unfinished()).map(canonicalJson), [canonicalJson(attempt)]);
      await audit.append([entry('1')]);
      assert.deepEqual(await audit.unfinished(), []);
    });
  });
}
