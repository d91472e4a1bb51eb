/**
 * A function that divides its requests by groups has, for each kind of agents, a queue and instances of its own: what waits for one cell is not served
 * by another. Pure. Budget: nothing for functions without groups.
 */
import type { AgentNumber } from '../../model/fleet.ts';
import { type GroupsConfig, type Labels, labelsText } from '../../model/groups.ts';

interface Labelled {
  readonly number: AgentNumber;
  readonly labels: Labels;
}

/** Agents whose requests do not mix: of a function that divides them, those with the same labels; of any other, all. */
export function partsOf(groups: GroupsConfig | undefined, agents: readonly Labelled[]): AgentNumber[][] {
  if (groups === undefined || Object.keys(groups.by).length === 0) return [agents.map(({ number }) => number)];
  const parts = Map.groupBy(agents, ({ labels }) => labelsText(labels));
  return [...parts.values()].map((part) => part.map(({ number }) => number));
}

interface Part {
  readonly agents: readonly AgentNumber[];
  readonly free: { readonly length: number };
  readonly waiting: number;
}

/**
 * The part that gets a request which several may have: one with a free instance, else the one for which fewest wait; of equals one drawn by chance.
 * @param allowed agents that may have the request
 */
export function pickPart<P extends Part>(parts: readonly P[], allowed: ReadonlySet<AgentNumber>, chance: () => number): P | undefined {
  const open = parts.filter(({ agents }) => agents.some((agent) => allowed.has(agent)));
  if (open.length < 2) return open[0];
  const free = open.filter((part) => part.free.length > 0 && part.waiting === 0);
  const least = Math.min(...open.map(({ waiting }) => waiting));
  const best = free.length > 0 ? free : open.filter(({ waiting }) => waiting === least);
  return best[Math.floor(chance() * best.length)];
}
