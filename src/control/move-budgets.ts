/** Moves parts of what is limited for all agents to where they are lacked. Control keeps nothing of it: what each agent has, it says itself. */
import type { Logger } from 'pino';
import type { CallClient } from '../wire/calls.ts';
import { type Budget, type Lacks, type Part, partSchema, yieldedSchema } from '../wire/budget-calls.ts';

const askLimitMs = 1_000;

/** One that has a part. */
export interface Holder extends Part {
  readonly agent: number;
}

/** What is to be moved to who lacks it. Pure. */
export interface Move {
  /** What nobody has: it was lost on its way when somebody ended. */
  readonly lost: number;
  /** Who gives up how much, the richest first. */
  readonly from: readonly { readonly agent: number; readonly amount: number }[];
}

/**
 * Half of what the others do not need, so that what is lacked to and fro is not moved with each request; of it no less than is lacked.
 * @param holders all agents that have a part
 */
export function moveFor({ agent, whole, wanted }: Lacks, holders: readonly Holder[]): Move {
  const lost = Math.max(0, whole - holders.reduce((sum, { part }) => sum + part, 0));
  const from: { agent: number; amount: number }[] = [];
  let lacking = wanted - lost;
  const others = holders.filter((holder) => holder.agent !== agent && holder.spare > 0).toSorted((one, other) => other.spare - one.spare);
  for (const { agent: other, spare } of others) {
    if (lacking <= 0) break;
    const amount = Math.min(spare, Math.max(lacking, Math.ceil(spare / 2)));
    from.push({ agent: other, amount });
    lacking -= amount;
  }
  return { lost, from };
}

export class MoveBudgets {
  readonly #clients: readonly Pick<CallClient, 'connected' | 'ask'>[];
  readonly #log: Logger;
  /** One after the other: what one lacks is not counted as lost while it is on its way to another. */
  #last: Promise<void> = Promise.resolve();
  readonly #waiting = new Set<string>();

  /** @param clients the agents', in their order */
  constructor(clients: readonly Pick<CallClient, 'connected' | 'ask'>[], log: Logger) {
    this.#clients = clients;
    this.#log = log;
  }

  /** An agent lacks some. Never rejects. @returns when it has what there was */
  lacks(lacks: Lacks): Promise<void> {
    const id = `${lacks.agent} ${lacks.key}`;
    if (this.#waiting.has(id)) return this.#last;
    this.#waiting.add(id);
    this.#last = this.#last
      .then(() => this.#move(lacks))
      .catch((error: unknown) => this.#log.warn({ err: error, budget: lacks.key }, 'a part of a limit could not be moved to another agent'))
      .finally(() => this.#waiting.delete(id));
    return this.#last;
  }

  async #move(lacks: Lacks): Promise<void> {
    const { agent, agents, key, whole, keepsHalf } = lacks;
    const budget: Budget = { key, whole, agents, keepsHalf };
    // What one has that is away nobody knows.
    if (agents.some((one) => this.#clients[one]?.connected !== true)) return;
    const holders = await Promise.all(
      agents.map(async (one) => ({ agent: one, ...partSchema.parse(await this.#ask(one, 'part', budget)) })),
    );
    const { lost, from } = moveFor(lacks, holders);
    let amount = lost;
    for (const giver of from)
      amount += yieldedSchema.parse(await this.#ask(giver.agent, 'yield', { ...budget, amount: giver.amount })).amount;
    if (amount > 0) await this.#ask(agent, 'grant', { ...budget, amount });
  }

  #ask(agent: number, method: string, body: object): Promise<unknown> {
    return this.#clients[agent]?.ask(method, body, askLimitMs) ?? Promise.resolve(undefined);
  }
}
