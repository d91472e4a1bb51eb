import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { grantsOf, issuerSchema } from '../../src/model/issuer.ts';
import {
  type AccessRole,
  type Grant,
  grantSchema,
  homeTenant,
  judge,
  type Right,
  type Target,
  type Verdict,
} from '../../src/model/rights.ts';

const grant = (role: AccessRole, tenant = 'acme', functions?: string[]): Grant => ({
  role,
  tenant,
  ...(functions === undefined ? {} : { functions }),
});
const fn = (name: string, tenant = 'acme'): Target => ({ kind: 'function', tenant, name });
const all: Target = { kind: 'tenant', tenant: 'acme' };
const some: Target = { kind: 'some function', tenant: 'acme' };
const platform: Target = { kind: 'platform' };

const cases: [what: string, grants: Grant[], right: Right, target: Target, verdict: Verdict][] = [
  ['a viewer reads', [grant('viewer')], 'read', fn('a'), 'granted'],
  ['and no more than that', [grant('viewer')], 'invoke', fn('a'), 'denied'],
  ['an invoker does not read', [grant('invoker')], 'read', fn('a'), 'denied'],
  ['a developer deploys', [grant('developer')], 'change', fn('a'), 'granted'],
  ['and makes no tokens', [grant('developer')], 'administer', all, 'denied'],
  ['an operator moves traffic', [grant('operator')], 'steer', fn('a'), 'granted'],
  ['and deploys nothing', [grant('operator')], 'change', fn('a'), 'denied'],
  ['another tenant is not there', [grant('admin')], 'read', fn('a', 'other'), 'hidden'],
  ['nor as a whole', [grant('admin', 'other')], 'read', all, 'hidden'],
  ['an admin of a tenant is none of the platform', [grant('admin')], 'administer', platform, 'denied'],
  ['the platform’s admin is everywhere', [grant('admin', '*')], 'change', fn('a', 'other'), 'granted'],
  ['a function’s developer deploys it', [grant('developer', 'acme', ['a'])], 'change', fn('a'), 'granted'],
  ['and does not see others', [grant('developer', 'acme', ['a'])], 'read', fn('b'), 'hidden'],
  ['nor a namesake elsewhere', [grant('developer', 'acme', ['a'])], 'read', fn('a', 'other'), 'hidden'],
  ['what is of all functions is not for it', [grant('developer', 'acme', ['a'])], 'read', all, 'denied'],
  ['what is looked through by function is', [grant('developer', 'acme', ['a'])], 'read', some, 'granted'],
  ['of two grants each counts', [grant('viewer'), grant('invoker', 'acme', ['a'])], 'invoke', fn('a'), 'granted'],
  ['and no further than it goes', [grant('viewer'), grant('invoker', 'acme', ['a'])], 'invoke', fn('b'), 'denied'],
  ['nobody has nothing', [], 'read', fn('a'), 'hidden'],
];

describe('rights', () => {
  for (const [what, grants, right, target, verdict] of cases)
    it(what, () => {
      assert.equal(judge({ grants }, right, target), verdict);
    });

  it('have a home', () => {
    assert.equal(homeTenant({ grants: [grant('viewer', 'acme')] }), 'acme');
    assert.equal(homeTenant({ grants: [grant('viewer', '*')] }), undefined);
  });

  it('to functions are of one tenant', () => {
    assert.equal(grantSchema.safeParse({ role: 'viewer', tenant: '*', functions: ['a'] }).success, false);
    for (const tenant of ['../x', '__proto__', 'a'.repeat(65), 'ac me', 'аcme'])
      assert.equal(grantSchema.safeParse({ role: 'viewer', tenant }).success, false, tenant);
  });
});

describe('claims', () => {
  const rules = [
    { claim: 'groups', value: 'shop-devs', role: 'developer' as const, tenant: 'shop' },
    { claim: 'realm_access.roles', value: 'ops', role: 'operator' as const, tenant: '*' },
    { claim: 'https://a.example/role', value: 'x', role: 'invoker' as const, tenant: 'shop', functions: ['a'] },
  ];
  it('are worth what the rules say', () => {
    assert.deepEqual(grantsOf({ groups: ['other', 'shop-devs'] }, rules), [{ role: 'developer', tenant: 'shop' }]);
    assert.deepEqual(grantsOf({ groups: 'shop-devs' }, rules), [{ role: 'developer', tenant: 'shop' }]);
    assert.deepEqual(grantsOf({ realm_access: { roles: ['ops'] } }, rules), [{ role: 'operator', tenant: '*' }]);
    assert.deepEqual(grantsOf({ 'https://a.example/role': 'x' }, rules), [{ role: 'invoker', tenant: 'shop', functions: ['a'] }]);
    for (const claims of [{}, { groups: 'shop-devs-2' }, { groups: { 'shop-devs': true } }, { realm_access: 'ops' }, { groups: null }])
      assert.deepEqual(grantsOf(claims, rules), []);
  });
  it('come from https only, but for this machine', () => {
    const issuer = (url: string) => issuerSchema.safeParse({ issuer: url, audience: 'swiftlet', grants: rules }).success;
    assert.deepEqual(['https://id.example', 'http://127.0.0.1:9/x', 'http://id.example', 'http://127.0.0.1.evil.example'].map(issuer), [
      true,
      true,
      false,
      false,
    ]);
  });
});
