/** Adds up which tenants have used up their GB-seconds of the day, and has gateways told. The relay alone knows what was used. */
import type { Logger } from 'pino';
import type { CallClient } from '../wire/calls.ts';
import type { Spent } from '../wire/gateway-calls.ts';
import type { PublishedState } from '../wire/published-state.ts';
import { gbSecondsOn } from './invocations.ts';

/** What is used between two rounds can go over the quota. */
const everyMs = 2_000;
const dayMs = 86_400_000;

export interface MeteringMeans {
  readonly tenants: () => PublishedState['tenants'];
  readonly relay: CallClient;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly tell: (spent: Spent) => void;
  readonly log: Logger;
}

/** Looks now and then, until disposed. */
export function keepMetering(means: MeteringMeans): AsyncDisposable {
  let looking: Promise<void> | undefined;
  const look = () => {
    looking ??= spentNow(means)
      .then(means.tell, (error: unknown) => means.log.warn({ err: error }, 'what tenants used could not be added up'))
      .finally(() => (looking = undefined));
  };
  const timer = setInterval(look, everyMs);
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await looking;
    },
  };
}

async function spentNow({ tenants, relay, now }: MeteringMeans): Promise<Spent> {
  const nowMs = now();
  const day = new Date(nowMs).toISOString().slice(0, 'yyyy-mm-dd'.length);
  const spent: string[] = [];
  for (const { name, quotas } of tenants().values()) {
    const { gbSecondsPerDay } = quotas;
    if (gbSecondsPerDay !== undefined && (await gbSecondsOn(relay, name, day)) >= gbSecondsPerDay) spent.push(name);
  }
  return { day: Math.floor(nowMs / dayMs), tenants: spent };
}
