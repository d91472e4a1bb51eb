/** Servers under the same load in turn, several times round, so that a slow minute of the machine meets them all. */
import type { LoadTarget } from './baselines.ts';
import { type LoadReport, load } from './load.ts';
import { cpuMsOf, processTree } from './processes.ts';
import type { BenchContext } from './scenario.ts';
import { median } from './statistics.ts';

export interface Contender extends Pick<LoadTarget, 'name' | 'url'> {
  /** The process above all that works for it; absent: its processor time is not asked for. */
  readonly pid?: number;
  /** Sent with every request. */
  readonly headers?: Readonly<Record<string, string>>;
  /** GET by default. */
  readonly method?: string;
}

/** Medians over the rounds. */
export interface Standing {
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  /** Over all rounds. */
  readonly requests: number;
  readonly errors: number;
  /** Processor time of everything that works for it, per request. 0 when it was not asked for. */
  readonly cpuUsPerRequest: number;
}

interface Turn extends LoadReport {
  readonly cpuMs: number;
}

export async function contest(
  contenders: readonly Contender[],
  connections: number,
  context: BenchContext,
  /** How much longer than usual each is warmed up: one that shares its load among many processes gets warm more slowly. */
  warmUpFactor = 1,
): Promise<ReadonlyMap<string, Standing>> {
  const { rounds, seconds, warmUpSeconds } = context.quick
    ? { rounds: 1, seconds: 2, warmUpSeconds: 1 }
    : { rounds: 3, seconds: 6, warmUpSeconds: 3 };
  const { signal } = context;
  const turns = new Map<string, Turn[]>(contenders.map(({ name }) => [name, []]));
  for (const { name, url, headers = {}, method = 'GET' } of contenders) {
    context.progress(`warming up ${name}`);
    await load(url, { connections, seconds: warmUpSeconds * warmUpFactor, signal, headers, method });
  }
  for (let round = 1; round <= rounds; round++) {
    for (const contender of contenders) {
      context.progress(`round ${round} of ${rounds}: ${contender.name}, ${connections} connections`);
      turns.get(contender.name)?.push(await takeTurn(contender, connections, seconds, signal));
    }
  }
  return new Map([...turns].map(([name, taken]) => [name, standing(taken)]));
}

async function takeTurn(
  { url, pid, headers = {}, method = 'GET' }: Contender,
  connections: number,
  seconds: number,
  signal: AbortSignal,
): Promise<Turn> {
  const cpuMs = () => (pid === undefined ? 0 : cpuMsOf(processTree(pid)));
  const before = cpuMs();
  const report = await load(url, { connections, seconds, signal, headers, method });
  return { ...report, cpuMs: cpuMs() - before };
}

function standing(turns: readonly Turn[]): Standing {
  const sum = (read: (turn: Turn) => number) => turns.reduce((total, turn) => total + read(turn), 0);
  const requests = sum((turn) => turn.requests);
  return {
    requestsPerSecond: median(turns.map((turn) => turn.requestsPerSecond)),
    p50Ms: median(turns.map((turn) => turn.p50Ms)),
    requests,
    errors: sum((turn) => turn.errors),
    cpuUsPerRequest: (sum((turn) => turn.cpuMs) * 1000) / requests,
  };
}

/** @throws Error when there is no such contender */
export function standingOf(standings: ReadonlyMap<string, Standing>, name: string): Standing {
  const found = standings.get(name);
  if (found === undefined) throw new Error(`${name} took no part`);
  return found;
}
