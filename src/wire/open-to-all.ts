/** Whether anyone may call a function at its address, by the state that is published. */
import type { Version } from '../model/function.ts';
import { noPolicy } from '../model/invoke-policy.ts';
import { type UrlRule, urlRuleOf } from '../model/tenant.ts';
import type { UrlAuth } from '../model/url-auth.ts';
import { functionKey, type PublishedState } from './published-state.ts';

/** What callers have to show, unless it is open to all. @param ofPlatform as below */
export const ruleOf = (
  { tenants }: Pick<PublishedState, 'tenants'>,
  { tenant, config }: Pick<Version, 'tenant' | 'config'>,
  ofPlatform: UrlRule,
): UrlRule | UrlAuth => urlRuleOf(tenant, { ofFunction: config.url, ofTenant: tenants.get(tenant)?.urls, ofPlatform });

/** @param ofPlatform the rule that the platform was started with */
export function isOpenToAll(
  state: Pick<PublishedState, 'tenants' | 'policies'>,
  version: Pick<Version, 'tenant' | 'function' | 'config'>,
  ofPlatform: UrlRule,
): boolean {
  const rule = ruleOf(state, version, ofPlatform);
  // Who asks for a signed token, or a signature, means it: a policy opens what the platform's tokens are for.
  if (typeof rule === 'object') return false;
  if (state.policies.size === 0) return rule === 'public';
  const policy = state.policies.get(functionKey(version.tenant, version.function)) ?? noPolicy;
  return rule === 'public' ? policy.wantsSignature !== true : policy.isOpen;
}
