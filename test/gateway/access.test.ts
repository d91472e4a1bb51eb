/** Who may call a function, as the gateway decides it on its copy of the state. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { Access, dropAuthorization } from '../../src/gateway/protection/access.ts';
import { functionConfigSchema, type Version } from '../../src/model/function.ts';
import type { Grant } from '../../src/model/rights.ts';
import type { UrlRule } from '../../src/model/tenant.ts';
import { hashOf, newToken } from '../../src/model/token.ts';
import { Identities } from '../../src/wire/identities.ts';
import { JwtCallers } from '../../src/gateway/protection/jwt-callers.ts';
import { applyChange, type PublishedState, stateOf } from '../../src/wire/published-state.ts';

const versionOf = (tenant: string, name: string, url?: UrlRule): Version => ({
  tenant,
  function: name,
  number: 1,
  digest: 'a'.repeat(64),
  size: 1,
  config: functionConfigSchema.parse(url === undefined ? {} : { url }),
  createdAt: '2026-01-01T00:00:00.000Z',
});
const published = (tenant: string, name: string, url?: UrlRule) => ({
  tenant,
  name,
  serving: versionOf(tenant, name, url),
  routing: { others: [], aliases: [], minimums: [], standby: [] },
});
const tokenFor = (grant: Grant, expiresAt?: string) => {
  const { id, token, hash } = newToken(randomBytes);
  return { token, published: { id, hash, grant, ...(expiresAt === undefined ? {} : { expiresAt }) } };
};

const acme = tokenFor({ role: 'invoker', tenant: 'acme' });
const viewer = tokenFor({ role: 'viewer', tenant: 'acme' });
const single = tokenFor({ role: 'invoker', tenant: 'acme', functions: ['open', 'closed'] });
const other = tokenFor({ role: 'admin', tenant: 'other' });
const late = tokenFor({ role: 'admin', tenant: 'acme' }, '2026-01-01T00:00:00.000Z');
const everywhere = tokenFor({ role: 'invoker', tenant: '*' });
const state = stateOf({
  revision: 1,
  functions: [
    published('default', 'hello'),
    published('default', 'closed', 'token'),
    published('acme', 'open', 'public'),
    published('acme', 'closed'),
    published('acme', 'third'),
  ],
  tokenHashes: [hashOf('root-token').toString('hex')],
  tokens: [acme, viewer, single, other, late, everywhere].map((one) => one.published),
  tenants: ['default', 'acme', 'other'].map((name) => ({
    name,
    quotas: {},
    cpuWeight: 100,
    ...(name === 'default' ? {} : { urls: 'token' as const }),
  })),
});

function accessWith(urls: UrlRule = 'public', of: PublishedState = state): Access {
  const access = new Access(urls, new Identities(() => undefined), new JwtCallers(() => undefined), () =>
    Date.parse('2026-06-01T00:00:00Z'),
  );
  access.take(of);
  return access;
}
const wayTo = (tenant: string, name: string) => ({ tenant, name, key: `${tenant}/${name}` });
const verdict = (access: Access, tenant: string, name: string, token?: string) => {
  const passage = access.toUrl(wayTo(tenant, name), token === undefined ? {} : { authorization: `Bearer ${token}` }, '192.0.2.1');
  return passage.kind === 'refused' ? passage.error.code : passage.kind;
};

describe('a function’s address', () => {
  const cases: [tenant: string, name: string, token: string | undefined, outcome: string][] = [
    ['default', 'hello', undefined, 'open'],
    ['default', 'closed', undefined, 'Unauthorized'],
    ['default', 'nothing', undefined, 'open'],
    ['acme', 'open', undefined, 'open'],
    ['acme', 'open:beta', undefined, 'open'],
    ['acme', 'closed', undefined, 'Unauthorized'],
    ['acme', 'nothing', undefined, 'Unauthorized'],
    ['nobody', 'nothing', undefined, 'Unauthorized'],
    ['acme', 'closed', acme.token, 'granted'],
    ['acme', 'closed:beta', acme.token, 'granted'],
    ['acme', 'closed', 'root-token', 'granted'],
    ['acme', 'closed', everywhere.token, 'granted'],
    ['acme', 'closed', viewer.token, 'Forbidden'],
    ['acme', 'closed', single.token, 'granted'],
    ['acme', 'third', single.token, 'FunctionNotFound'],
    ['acme', 'closed', other.token, 'FunctionNotFound'],
    ['acme', 'nothing', other.token, 'FunctionNotFound'],
    ['default', 'closed', acme.token, 'FunctionNotFound'],
    ['acme', 'closed', late.token, 'Unauthorized'],
    ['acme', 'closed', `${acme.token.slice(0, -1)}${acme.token.endsWith('A') ? 'B' : 'A'}`, 'Unauthorized'],
    ['acme', 'closed', 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9.', 'Unauthorized'],
    ['acme', 'closed', 'x'.repeat(1024 * 1024), 'Unauthorized'],
    ['acme', '__proto__', acme.token, 'granted'],
  ];
  for (const [tenant, name, token, outcome] of cases)
    it(`${tenant}/${name} with ${token === undefined ? 'no token' : `${token.slice(0, 20)}…`} is ${outcome}`, () => {
      assert.equal(verdict(accessWith(), tenant, name, token), outcome);
    });

  it('is open to nobody by itself where others can reach it', () => {
    assert.deepEqual(
      [verdict(accessWith('token'), 'default', 'hello'), verdict(accessWith('token'), 'acme', 'open')],
      ['Unauthorized', 'open'],
    );
  });

  it('is closed to a token as soon as it is revoked, and to those of a tenant that is removed', () => {
    const revoked = applyChange(state, { revision: 2, change: { kind: 'token revoked', id: acme.published.id } });
    assert.equal(verdict(accessWith('public', revoked ?? assert.fail()), 'acme', 'closed', acme.token), 'Unauthorized');
    const removed = applyChange(state, { revision: 2, change: { kind: 'tenant removed', name: 'acme' } });
    assert.equal(verdict(accessWith('public', removed ?? assert.fail()), 'acme', 'closed', viewer.token), 'Unauthorized');
    assert.equal(removed?.tokens.size, 2);
  });

  it('limits guesses by source, and for one token from all sources; right tokens go on', () => {
    const access = accessWith();
    const guess = (token: string, source: string) => {
      const passage = access.toUrl(wayTo('acme', 'closed'), { 'x-swiftlet-token': token }, source);
      return passage.kind === 'refused' ? passage.error.code : passage.kind;
    };
    const codes = Array.from({ length: 60 }, (_, at) => guess(`guess-${at}`, '192.0.2.9'));
    assert.deepEqual([codes.filter((code) => code === 'Unauthorized').length, codes.at(-1)], [30, 'TooManyRequests']);
    assert.deepEqual([guess('guess', '192.0.2.10'), guess(acme.token, '192.0.2.9')], ['Unauthorized', 'granted']);
    const claimed = `${acme.token.slice(0, 21)}${'A'.repeat(43)}`;
    const spread = Array.from({ length: 60 }, (_, at) => guess(claimed, `198.51.100.${at}`));
    assert.deepEqual([spread.filter((code) => code === 'Unauthorized').length, spread.at(-1)], [30, 'TooManyRequests']);
  });
});

it('the token that opened a function does not reach it', () => {
  const headers = ['Host', 'x', 'AUTHORIZATION', 'Bearer a', 'X-Mine', '1', 'authorization', 'Bearer b'];
  dropAuthorization(headers);
  assert.deepEqual(headers, ['Host', 'x', 'X-Mine', '1']);
});
