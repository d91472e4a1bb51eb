/** A control with two tenants, a function in each, and tokens for them. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { bundleMediaType } from '../../src/build/bundle.ts';
import type { AccessRole } from '../../src/model/rights.ts';
import type { RoleConfig } from '../../src/role/role-config.ts';
import { type Answer, bundleOf, type CallOptions, type ControlUnderTest, sha256, startUnderTest } from './control-under-test.ts';

export interface TokenMade {
  readonly id: string;
  readonly token: string;
}

export interface Tenants extends ControlUnderTest {
  /** Calls as somebody, about a tenant; undefined: the token's own. */
  as(token: string | null, path: string, options?: CallOptions & { readonly tenant?: string }): Promise<Answer>;
  createTenant(name: string, settings?: object): Promise<Answer>;
  createToken(tenant: string | undefined, role: AccessRole, more?: object): Promise<TokenMade>;
  /** Uploads an artifact as a tenant's and deploys it. */
  deploy(
    tenant: string,
    name: string,
    options?: { readonly content?: string; readonly token?: string; readonly config?: object },
  ): Promise<Answer>;
}

export async function startTenants(t: TestContext, change: Partial<RoleConfig> = {}): Promise<Tenants> {
  const control = await startUnderTest(t, undefined, change);
  control.roles.subscribe();
  while (!control.roles.isFollowing) await new Promise((resolve) => setTimeout(resolve, 5));
  const as: Tenants['as'] = (token, path, { tenant, headers = {}, ...options } = {}) =>
    control.call(path, { ...options, token, headers: { ...headers, ...(tenant === undefined ? {} : { 'x-swiftlet-tenant': tenant }) } });
  const root = 'the-token-of-the-tests';
  const under: Tenants = {
    ...control,
    as,
    createTenant: (name, settings = {}) => control.put(`/v1/tenants/${name}`, settings, { 'if-none-match': '*' }),
    async createToken(tenant, role, more = {}) {
      const body = JSON.stringify({ name: `a ${role}`, role, platform: tenant === undefined, ...more });
      const { status, json, text } = await as(root, '/v1/tokens', { method: 'POST', body, ...(tenant === undefined ? {} : { tenant }) });
      assert.equal(status, 201, text);
      return { id: String(json['id']), token: String(json['token']) };
    },
    async deploy(tenant, name, { content = `export const handler = () => '${tenant}';`, token = root, config = {} } = {}) {
      const bytes = bundleOf({ 'index.js': content });
      const digest = sha256(bytes);
      const uploaded = await as(token, `/v1/artifacts/${digest}`, {
        method: 'PUT',
        body: new Uint8Array(bytes),
        type: bundleMediaType,
        tenant,
      });
      if (uploaded.status >= 300) return uploaded;
      return as(token, `/v1/functions/${name}`, { method: 'PUT', body: JSON.stringify({ digest, config }), tenant });
    },
  };
  return under;
}
