/** What control asks of an agent's parts of limits, where there are several agents. Everything is parsed here. */
import { budgetSchema, moveSchema } from '../wire/budget-calls.ts';
import type { CallHandlers } from '../wire/calls.ts';
import type { Budgets } from './budgets.ts';

/** Answers these, and leaves the rest to another door. */
export const budgetsDoor = (budgets: Budgets, rest: CallHandlers): CallHandlers => ({
  ...rest,
  ask(method, body, peer) {
    if (method === 'part') return budgets.part(budgetSchema.parse(body));
    if (method === 'yield') {
      const { amount, ...budget } = moveSchema.parse(body);
      return { amount: budgets.giveUp(budget, amount) };
    }
    if (method === 'grant') {
      const { amount, ...budget } = moveSchema.parse(body);
      budgets.take(budget, amount);
      return {};
    }
    return rest.ask?.(method, body, peer);
  },
});
