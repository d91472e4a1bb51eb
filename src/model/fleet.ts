/**
 * Several agents are one fleet: which of them run a function, and what each of them has of what is limited for all together. Pure, and the same
 * wherever it is asked: agents, gateways and control need not agree on anything.
 */
import type { FunctionConfig } from './function.ts';
import { isPublishedTo, type Labels } from './groups.ts';
import { networkOf, privateNames } from './network-policy.ts';

/** An agent's number, from 0 on. */
export type AgentNumber = number;

/** What has the tunnels of private networks: one agent, since a proxy at the far end speaks to one router. */
export const tunnelling: AgentNumber = 0;

/**
 * The agents that run a function, in their order.
 * @param labels each agent's
 */
export function agentsFor(config: Pick<FunctionConfig, 'groups' | 'network'>, labels: readonly Labels[]): AgentNumber[] {
  const isPrivate = privateNames(networkOf({ config })).length > 0;
  return [...labels.keys()].filter((agent) => isPublishedTo(config.groups, labels[agent] ?? {}) && (!isPrivate || agent === tunnelling));
}

/**
 * A whole number in as many parts as there are agents, each as large as the others or by one larger. The parts of a smaller number are nowhere larger
 * than those of a larger one, so that an agent's part of a minimum fits into its part of the maximum.
 * @param agents those that have a part
 * @param key what it is for: which agents have the larger parts differs from key to key, so that they are not always the same
 * @returns the part of one of them; 0 for an agent that is none of them
 */
export function partOf(whole: number, agents: readonly AgentNumber[], agent: AgentNumber, key: string): number {
  const at = agents.indexOf(agent);
  if (at < 0) return 0;
  const turn = (at + turnOf(key)) % agents.length;
  return Math.floor(whole / agents.length) + (turn < whole % agents.length ? 1 : 0);
}

/** FNV-1a: any hash that is the same everywhere does. */
function turnOf(key: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < key.length; at++) hash = Math.imul(hash ^ key.charCodeAt(at), 0x01000193) >>> 0;
  return hash;
}
