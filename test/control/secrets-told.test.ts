import assert from 'node:assert/strict';
import { test } from 'node:test';
import { referencesAfter, referencesOf, toForget, wantedSecrets } from '../../src/control/secrets/told.ts';
import { eventSecretNames } from '../../src/model/event-secrets.ts';
import { type FunctionConfig, functionConfigSchema } from '../../src/model/function.ts';
import { secretNames } from '../../src/model/secret.ts';
import { plainRouting } from '../../src/wire/routing.ts';

const needed = ({ secrets }: FunctionConfig) => secretNames(secrets);
const version = (name: string, secrets: Record<string, string>, number = 1) => ({
  tenant: 'default',
  function: name,
  number,
  digest: 'a'.repeat(64),
  size: 1,
  createdAt: '2026-01-02T03:04:05.000Z',
  config: functionConfigSchema.parse({
    secrets: Object.fromEntries(Object.entries(secrets).map(([variable, secret]) => [variable, { secret }])),
  }),
});
const published = (name: string, secrets: Record<string, string>, others: Record<string, string>[] = []) => ({
  tenant: 'default',
  name,
  serving: version(name, secrets),
  routing: { ...plainRouting, others: others.map((other, at) => version(name, other, at + 2)) },
});

test('an agent is to have what any published version refers to, once', () => {
  const references = referencesOf(published('a', { X: 'db', Y: 'db', Z: 'tls' }, [{ X: 'new' }]), needed);
  assert.deepEqual(
    references.map(({ name }) => name),
    ['db', 'tls', 'new'],
  );
});

test('changes are followed, and what nobody refers to any more is forgotten', () => {
  const served = (one: ReturnType<typeof published>) => ({ revision: 1, change: { kind: 'served' as const, function: one } });
  let references = referencesAfter(new Map(), served(published('a', { X: 'db' })), needed);
  references = referencesAfter(references, served(published('b', { X: 'db', Y: 'tls' })), needed);
  assert.deepEqual([...wantedSecrets(references).keys()].sort(), ['default/db', 'default/tls']);
  references = referencesAfter(references, { revision: 3, change: { kind: 'removed', tenant: 'default', name: 'b' } }, needed);
  references = referencesAfter(references, { revision: 4, change: { kind: 'token revoked', id: 'x' } }, needed);
  const told = new Map([
    ['default/db', 1],
    ['default/tls', 1],
  ]);
  assert.deepEqual(toForget(told, wantedSecrets(references)), ['default/tls']);
  assert.equal(referencesAfter(references, served(published('a', {})), needed).size, 0);
});

test('the events role is to have what sources and destinations name, and nothing else', () => {
  const nats = { servers: ['nats://broker:4222'], subject: 'orders' };
  const config = {
    environment: { PLAIN: 'of the environment' },
    secrets: {
      SIGNS: { secret: 'hook-key' },
      OPENS: { secret: 'broker' },
      SENDS: { secret: 'other-broker' },
      OWN: { secret: 'database' },
      FILE: { secret: 'tls', as: 'file' },
    },
    sources: {
      incoming: { origin: { kind: 'nats', ...nats, tokenVariable: 'OPENS' } },
      plain: { origin: { kind: 'nats', ...nats, tokenVariable: 'PLAIN' } },
    },
    destinations: {
      success: { kind: 'webhook', url: 'https://hooks.test/', secretVariable: 'SIGNS' },
      failure: { kind: 'queue', to: { kind: 'nats', ...nats, tokenVariable: 'SENDS' } },
    },
  };
  assert.deepEqual(eventSecretNames(functionConfigSchema.parse(config)), ['broker', 'hook-key', 'other-broker']);
  const asFile = { ...config, destinations: { success: { ...config.destinations.success, secretVariable: 'FILE' } } };
  assert.throws(() => functionConfigSchema.parse(asFile), /has no value: put it into \\"secrets\\", as a variable/);
});
