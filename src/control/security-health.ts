/** What can be said of the guards from what control knows. Pure. */
import { outgoing } from '../model/isolation.ts';
import type { UrlRule } from '../model/tenant.ts';
import { isOverdue } from '../role/certificates/validity.ts';
import type { IsolationAnswer } from '../wire/agent-calls.ts';
import { isOpenToAll } from '../wire/open-to-all.ts';
import { functionKey, type PublishedState } from '../wire/published-state.ts';
import type { Proof } from '../wire/secure/role-certificate.ts';

/** A token that ends within this is about to. */
const soonMs = 14 * 86_400_000;
/** Of a list that may have thousands so many are told; the count tells of the others. */
const shown = 100;

/** Who decides what functions reach of the network. */
export const egressEnforcements = ['policy', 'closed', 'open', 'unknown'] as const;
export type EgressEnforcement = (typeof egressEnforcements)[number];

/** What functions reach of the network: as the isolation in force has it, and as their policies say. */
export function egressOf(facts: IsolationAnswer['facts'] | undefined, { functions }: Pick<PublishedState, 'functions'>) {
  const count = { none: 0, internet: 0, lists: 0 };
  for (const { config } of functions.values()) count[typeof config.network === 'string' ? config.network : 'lists'] += 1;
  return { ...enforcementOf(facts), functions: count };
}

function enforcementOf(facts: IsolationAnswer['facts'] | undefined): { enforcement: EgressEnforcement; detail: string } {
  if (facts === undefined) return { enforcement: 'unknown', detail: 'the agent is away' };
  const [network, ways] = [facts.find(({ means }) => means === 'network'), facts.find(({ means }) => means === outgoing)];
  if (network === undefined) return { enforcement: 'unknown', detail: 'the agent does not say' };
  if (!network.inForce) return { enforcement: 'open', detail: 'functions reach whatever this machine does' };
  return ways?.inForce === true
    ? { enforcement: 'policy', detail: ways.detail }
    : { enforcement: 'closed', detail: ways?.detail ?? network.detail };
}

/** Functions that anyone may call at their address. @param ofPlatform the rule that it was started with */
export function openFunctions(state: Pick<PublishedState, 'functions' | 'tenants' | 'policies'>, ofPlatform: UrlRule) {
  const open = [...state.functions.values()]
    .filter((version) => isOpenToAll(state, version, ofPlatform))
    .map((version) => ({ tenant: version.tenant, function: version.function }))
    .sort((one, other) => (functionKey(one.tenant, one.function) < functionKey(other.tenant, other.function) ? -1 : 1));
  return { count: open.length, first: open.slice(0, shown) };
}

/** Tokens that end soon, or have ended and were not revoked, the next first. */
export function expiringTokens({ tokens }: Pick<PublishedState, 'tokens'>, nowMs: number) {
  const all = [...tokens.values()];
  const expiring = all
    .filter(({ expiresMs }) => expiresMs - nowMs <= soonMs)
    .sort((one, other) => one.expiresMs - other.expiresMs)
    .slice(0, shown)
    .map(({ published, expiresMs }) => ({
      id: published.id,
      tenant: published.grant.tenant,
      expiresAt: new Date(expiresMs).toISOString(),
      expired: expiresMs <= nowMs,
    }));
  return { count: all.length, expiring, endless: all.filter(({ expiresMs }) => expiresMs === Infinity).length };
}

/** The certificates between hosts, the next to end first. */
export const endingCertificates = (certificates: readonly Proof[], nowMs: number) =>
  certificates
    .toSorted((one, other) => one.untilMs - other.untilMs)
    .map((one) => ({ role: one.role, host: one.host, endsAt: new Date(one.untilMs).toISOString(), overdue: isOverdue(one, nowMs) }));
