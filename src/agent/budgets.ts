/**
 * What this one of several agents has of what is limited for all together: its part, and what control has moved since. What was moved is written down, since a
 * successor must not have more than this agent had. The sum is never above the whole: who gives has given before another gets.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { type AgentNumber, partOf } from '../model/fleet.ts';
import type { Budget, Lacks, Part } from '../wire/budget-calls.ts';

/** By budget: what this agent has more, or less, than its part. */
const movedSchema = z.record(z.string(), z.int());
/** What lacks is said again after so long. */
const sayEveryMs = 100;

export interface BudgetsMeans {
  readonly agent: AgentNumber;
  /** Where it is written down. */
  readonly path: string;
  /** What is in use here of a budget, and what is to be kept though it is not. */
  readonly used: (budget: Budget) => number;
  readonly tell: (lacks: Lacks) => void;
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number;
}

export class Budgets {
  readonly #means: BudgetsMeans;
  readonly #moved: Map<string, number>;
  readonly #saidMs = new Map<string, number>();

  constructor(means: BudgetsMeans) {
    this.#means = means;
    this.#moved = read(means.path);
  }

  /** What this agent may have. */
  of(budget: Budget): number {
    const { key, whole, agents } = budget;
    return Math.max(0, partOf(whole, agents, this.#means.agent, key) + (this.#moved.get(idOf(budget)) ?? 0));
  }

  /** Something was refused for want of it: control may find some elsewhere. */
  lacks(budget: Budget, wanted: number): void {
    const { agent, now, tell } = this.#means;
    if (this.of(budget) >= budget.whole) return;
    const id = idOf(budget);
    if (now() - (this.#saidMs.get(id) ?? -Infinity) < sayEveryMs) return;
    for (const [other, saidMs] of this.#saidMs) if (now() - saidMs >= sayEveryMs) this.#saidMs.delete(other);
    this.#saidMs.set(id, now());
    tell({ ...budget, agent, wanted });
  }

  part(budget: Budget): Part {
    const part = this.of(budget);
    const own = partOf(budget.whole, budget.agents, this.#means.agent, budget.key);
    const kept = Math.max(this.#means.used(budget), budget.keepsHalf ? Math.ceil(own / 2) : 0);
    return { part, spare: Math.max(0, part - kept) };
  }

  /** Gives up what is asked for, as far as nobody needs it. @returns how much */
  giveUp(budget: Budget, amount: number): number {
    const given = Math.min(amount, this.part(budget).spare);
    this.#move(budget, -given);
    return given;
  }

  take(budget: Budget, amount: number): void {
    this.#move(budget, Math.min(amount, budget.whole - this.of(budget)));
  }

  /** Forgets what was moved of budgets that are none any more. */
  keepOnly(budgets: Iterable<Budget>): void {
    const kept = new Set([...budgets].map(idOf));
    const gone = [...this.#moved.keys()].filter((id) => !kept.has(id));
    for (const id of gone) this.#moved.delete(id);
    if (gone.length > 0) this.#write();
  }

  #move(budget: Budget, by: number): void {
    if (by === 0) return;
    const id = idOf(budget);
    const moved = (this.#moved.get(id) ?? 0) + by;
    if (moved === 0) this.#moved.delete(id);
    else this.#moved.set(id, moved);
    this.#write();
  }

  #write(): void {
    writeFileSync(`${this.#means.path}.new`, JSON.stringify(Object.fromEntries(this.#moved)), { mode: 0o600 });
    renameSync(`${this.#means.path}.new`, this.#means.path);
  }
}

const idOf = ({ key, whole, agents }: Budget): string => `${key} ${whole} ${agents.join(',')}`;

/** What cannot be read was never written: a file in the run folder is there as a whole or not at all. */
function read(path: string): Map<string, number> {
  try {
    return new Map(Object.entries(movedSchema.parse(JSON.parse(readFileSync(path, 'utf8')))));
  } catch {
    return new Map();
  }
}
