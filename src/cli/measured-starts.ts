/** How long starts take on this host, as the platform has measured them. */
import { SwiftletError } from '../model/errors.ts';
import type { StartTimeModel } from '../simulate/start-times.ts';
import type { ApiClient } from './api-client.ts';
import { connectApi } from './connect-api.ts';

/** From a full pool, as the bench has it; for a host whose platform has not started anything yet, or does not run. */
const assumed: StartTimeModel = { p50Ms: 5, p95Ms: 15, thawMs: 1 };

export interface MeasuredStarts {
  readonly model: StartTimeModel;
  /** Where it comes from, for people. */
  readonly told: string;
}

/** @param givenMs what every start takes, when somebody says so */
export async function startTimesOf(givenMs: number | undefined): Promise<MeasuredStarts> {
  if (givenMs !== undefined)
    return {
      model: { p50Ms: givenMs, p95Ms: givenMs, thawMs: Math.min(givenMs, assumed.thawMs) },
      told: `Starts take ${givenMs} ms.`,
    };
  const measured = await measuredStarts().catch(ifAway);
  return measured === undefined
    ? {
        model: assumed,
        told: `No cold starts were measured on this host yet: they are taken for ${text(assumed)}. --start-time says otherwise.`,
      }
    : { model: measured, told: `Starts as measured on this host: ${text(measured)}.` };
}

const text = ({ p50Ms, p95Ms }: StartTimeModel): string => `${p50Ms.toFixed(1)} ms (p50), ${p95Ms.toFixed(1)} ms (p95)`;

async function measuredStarts(): Promise<StartTimeModel | undefined> {
  const api = connectApi(process.env);
  const all = await startsOfAll(api);
  const count = all.reduce((sum, one) => sum + one.count, 0);
  if (count === 0) return undefined;
  const mean = (which: 'p50Ms' | 'p95Ms') => all.reduce((sum, one) => sum + one.waited[which] * one.count, 0) / count;
  return { p50Ms: mean('p50Ms'), p95Ms: mean('p95Ms'), thawMs: assumed.thawMs };
}

async function startsOfAll(api: ApiClient) {
  const recent = [];
  for (const { name } of await api.list()) recent.push((await api.starts(name)).recent);
  return recent;
}

function ifAway(error: unknown): undefined {
  if (!(error instanceof SwiftletError && (error.code === 'Unavailable' || error.code === 'Unauthorized'))) throw error;
}
