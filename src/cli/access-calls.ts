/** The control API’s calls about tenants and tokens. */
import type { AccessRole } from '../model/rights.ts';
import type { TenantSettings } from '../model/tenant.ts';
import {
  tenantDescribedSchema,
  tenantSetSchema,
  tenantsViewSchema,
  type TenantView,
  tokenCreatedSchema,
  tokenRevokedSchema,
  tokensViewSchema,
} from '../wire/access-answers.ts';
import type { ApiClient } from './api-client.ts';

const tenantPath = (name: string): string => `/v1/tenants/${encodeURIComponent(name)}`;

export interface TokenWish {
  readonly name: string;
  readonly role: AccessRole;
  readonly functions?: readonly string[];
  readonly expiresAt?: string;
  readonly platform: boolean;
  /** Whether requests to the Lambda API can be signed with it. */
  readonly accessKey?: boolean;
}

export const createToken = (api: ApiClient, wish: TokenWish) => api.json(tokenCreatedSchema, 'POST', '/v1/tokens', wish);

export const listTokens = async (api: ApiClient, platform: boolean) =>
  (await api.json(tokensViewSchema, 'GET', `/v1/tokens?platform=${platform}`)).tokens;

export const revokeToken = (api: ApiClient, id: string, platform: boolean) =>
  api.json(tokenRevokedSchema, 'DELETE', `/v1/tokens/${encodeURIComponent(id)}?platform=${platform}`);

/** @param keepMs how long the one before goes on to count */
export const rotateToken = (api: ApiClient, id: string, keepMs: number, platform: boolean) =>
  api.json(tokenCreatedSchema, 'POST', `/v1/tokens/${encodeURIComponent(id)}/rotate?platform=${platform}`, { keepMs });

/** @param isNew whether there must be none of the name */
export const setTenant = (api: ApiClient, name: string, settings: TenantSettings, isNew: boolean) =>
  api.json(tenantSetSchema, 'PUT', tenantPath(name), settings, isNew ? { 'if-none-match': '*' } : {});

export const describeTenant = (api: ApiClient, name: string) => api.json(tenantDescribedSchema, 'GET', tenantPath(name));

export const removeTenant = (api: ApiClient, name: string): Promise<void> => api.send('DELETE', tenantPath(name));

export async function listTenants(api: ApiClient): Promise<TenantView[]> {
  const all: TenantView[] = [];
  for (let after = ''; ; ) {
    const page = await api.json(tenantsViewSchema, 'GET', `/v1/tenants?limit=1000${after === '' ? '' : `&after=${after}`}`);
    all.push(...page.tenants);
    if (page.next === undefined) return all;
    after = page.next;
  }
}
