import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TenantShares, weightOfEach } from '../../src/agent/tenant-shares.ts';

test('however many instances a tenant has, together they weigh what it does', () => {
  assert.deepEqual(
    [weightOfEach(100, 1), weightOfEach(100, 10), weightOfEach(200, 10), weightOfEach(1, 1_000), weightOfEach(1_000, 1)],
    [1_000, 100, 200, 1, 10_000],
  );
});

test('only what has changed is written; frozen ones weigh nothing', () => {
  const written: [id: string, weight: number][] = [];
  const instance = (id: string, tenant: string, kind = 'idle') =>
    ({ id, state: { kind }, version: { tenant }, sandbox: { weigh: (weight: number) => written.push([id, weight]) } }) as never;
  const shares = new TenantShares((tenant) => (tenant === 'big' ? 200 : undefined));
  shares.divide([instance('a', 'big'), instance('b', 'small'), instance('f', 'small', 'frozen')]);
  assert.deepEqual(written.splice(0), [
    ['a', 2_000],
    ['b', 1_000],
  ]);
  shares.divide([instance('a', 'big'), instance('b', 'small'), instance('c', 'small')]);
  assert.deepEqual(written.splice(0), [
    ['b', 500],
    ['c', 500],
  ]);
  shares.divide([instance('a', 'big'), instance('b', 'small'), instance('c', 'small')]);
  assert.deepEqual(written, []);
});

test('a lone tenant costs no writes; what it missed is written when there is another', () => {
  const written: string[] = [];
  const instance = (id: string, tenant: string) =>
    ({ id, state: { kind: 'idle' }, version: { tenant }, sandbox: { weigh: () => written.push(id) } }) as never;
  const shares = new TenantShares(() => undefined);
  shares.divide([instance('a', 'one'), instance('b', 'one')]);
  assert.deepEqual(written, []);
  shares.divide([instance('a', 'one'), instance('b', 'one'), instance('c', 'other')]);
  assert.deepEqual(written, ['a', 'b', 'c']);
});
