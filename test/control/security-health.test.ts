import assert from 'node:assert/strict';
import { test } from 'node:test';
import { egressOf, endingCertificates, expiringTokens, openFunctions } from '../../src/control/security-health.ts';
import { functionConfigSchema, type Version } from '../../src/model/function.ts';
import { knownToken } from '../../src/model/token.ts';
import { version } from '../gateway/starting-instance.ts';

test('egress is what the isolation in force says, and nothing better', () => {
  const facts = (...inForce: boolean[]) =>
    ['network', 'outgoing traffic'].slice(0, inForce.length).map((means, at) => ({ means, inForce: inForce[at] ?? false, detail: means }));
  const said = (...inForce: boolean[]) => egressOf(facts(...inForce), { functions: new Map() }).enforcement;
  assert.deepEqual(
    [said(true, true), said(true, false), said(true), said(false, false), said()],
    ['policy', 'closed', 'closed', 'open', 'unknown'],
  );
  assert.match(egressOf(undefined, { functions: new Map() }).detail, /agent is away/);
});

test('functions’ policies are counted', () => {
  const policies = ['none', 'internet', 'internet', { allow: ['api.test:443'] }] as const;
  const functions = new Map<string, Version>(
    policies.map((network, at) => [`a/${at}`, { ...version, config: functionConfigSchema.parse({ network }) }]),
  );
  assert.deepEqual(egressOf(undefined, { functions }).functions, { none: 1, internet: 2, lists: 1 });
});

test('a function is open by its own word, else its tenant’s, else the platform’s, or by a policy', () => {
  const functions = new Map<string, Version>();
  const add = (tenant: string, name: string, url?: 'public' | 'token') =>
    functions.set(`${tenant}/${name}`, {
      ...version,
      tenant,
      function: name,
      config: { ...version.config, ...(url === undefined ? {} : { url }) },
    });
  add('default', 'a');
  add('default', 'b', 'token');
  add('acme', 'c');
  add('acme', 'd', 'public');
  // A tenant that is not in this copy of the state yet is not open for what the platform's first one is.
  add('beta', 'e');
  const tenants = new Map([['acme', { name: 'acme', quotas: {}, cpuWeight: 100, urls: 'token' as const }]]);
  const policies = new Map([['acme/c', { isOpen: true, guests: [] }]]);
  const namesOf = (urls: 'public' | 'token') => openFunctions({ functions, tenants, policies }, urls).first.map((one) => one.function);
  assert.deepEqual(
    [namesOf('public'), namesOf('token')],
    [
      ['c', 'd', 'a'],
      ['c', 'd'],
    ],
  );
  for (let more = 0; more < 150; more++) add('default', `x${more}`);
  const { count, first } = openFunctions({ functions, tenants, policies: new Map() }, 'public');
  assert.deepEqual([count, first.length], [152, 100]);
});

test('tokens that end within two weeks are told, the next first; those without an end are counted', () => {
  const now = Date.parse('2026-03-01T00:00:00.000Z');
  const token = (id: string, expiresAt?: string) =>
    [
      id,
      knownToken({ id, hash: 'aa', grant: { role: 'viewer', tenant: 'acme' }, ...(expiresAt === undefined ? {} : { expiresAt }) }),
    ] as const;
  const tokens = new Map([
    token('later', '2026-03-14T00:00:00.000Z'),
    token('never'),
    token('far', '2026-04-01T00:00:00.000Z'),
    token('over', '2026-02-01T00:00:00.000Z'),
  ]);
  const { count, expiring, endless } = expiringTokens({ tokens }, now);
  assert.deepEqual([count, endless], [4, 1]);
  assert.deepEqual(
    expiring.map(({ id, expired }) => [id, expired]),
    [
      ['over', true],
      ['later', false],
    ],
  ); // prettier-ignore
});

test('certificates are told by when they end; one that nobody renewed is overdue', () => {
  const certificate = (role: 'agent' | 'control', fromMs: number, untilMs: number) => ({ role, host: 'edge', fromMs, untilMs });
  assert.deepEqual(endingCertificates([certificate('control', 0, 1_200), certificate('agent', 0, 600)], 550), [
    { role: 'agent', host: 'edge', endsAt: '1970-01-01T00:00:00.600Z', overdue: true },
    { role: 'control', host: 'edge', endsAt: '1970-01-01T00:00:01.200Z', overdue: false },
  ]);
});
