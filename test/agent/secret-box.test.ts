import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SecretBox } from '../../src/agent/secret-box.ts';
import { functionConfigSchema } from '../../src/model/function.ts';

const of = (secrets: Record<string, { secret: string; as?: 'file' }>, tenant = 'acme') => ({
  tenant,
  function: 'f',
  config: functionConfigSchema.parse({ secrets }),
});
const put = (name: string, version: number, value: string, tenant = 'acme') => ({ tenant, name, version, value });

test('a version gets its own tenant’s secrets by its own variables, at once', () => {
  const box = new SecretBox();
  box.take({ isFirst: true, put: [put('db', 1, 'one'), put('tls', 4, 'key'), put('db', 9, 'another tenant’s', 'evil')], drop: [] });
  const version = of({ B: { secret: 'tls', as: 'file' }, A: { secret: 'db' } });
  assert.deepEqual(box.for(version), {
    secrets: [
      { variable: 'B', as: 'file', value: 'key' },
      { variable: 'A', as: 'environment', value: 'one' },
    ],
    stamp: 'db=1,tls=4',
  });
  assert.deepEqual(box.for(of({})), { secrets: [], stamp: '' });
});

test('who comes before the secret waits for it, and whoever is told too late is told which it was', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const box = new SecretBox();
  const version = of({ A: { secret: 'db' } });
  assert.equal(box.stampOf(version), undefined);
  const waiting = box.for(version);
  assert.ok(waiting instanceof Promise);
  box.take({ isFirst: true, put: [put('db', 2, 'two')], drop: [] });
  assert.equal((await waiting).stamp, 'db=2');
  box.take({ isFirst: false, put: [], drop: [{ tenant: 'acme', name: 'db' }] });
  const late = box.for(version);
  t.mock.timers.tick(5_000);
  await assert.rejects(Promise.resolve(late), {
    code: 'Unavailable',
    message: /function "f" cannot start: its secret "db" is not on this host/,
  });
});

test('a rotation changes the stamp; another control’s first word takes everything away', () => {
  const box = new SecretBox();
  const version = of({ A: { secret: 'db' } });
  box.take({ isFirst: true, put: [put('db', 1, 'one')], drop: [] });
  assert.equal(box.stampOf(version), 'db=1');
  box.take({ isFirst: false, put: [put('db', 2, 'two')], drop: [] });
  assert.equal(box.stampOf(version), 'db=2');
  box.take({ isFirst: true, put: [], drop: [] });
  assert.equal(box.stampOf(version), undefined);
});
