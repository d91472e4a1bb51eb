/** Cold starts in bulk: functions that each start once, with code of their own. */
import { Agent } from 'node:http';
import type { ConfigInput } from './control-api.ts';
import { packUnique } from './bench-functions.ts';
import type { BenchPlatform } from './platform.ts';
import { parseServerTiming, type Timing } from './server-timing.ts';
import { timedRequest } from './timed-request.ts';

const deploysAtOnce = 4;

export interface ColdFunction {
  readonly name: string;
  readonly number: number;
}

export interface ColdStart {
  /** From the request to the last byte of the answer. */
  readonly tookMs: number;
  /** What the platform says of it. */
  readonly timing: Timing;
}

/** Deploys so many functions; the numbers continue from `first`, so that no digest ever comes twice. */
export async function deployUnique(
  platform: BenchPlatform,
  first: number,
  count: number,
  config: ConfigInput = {},
  pack = packUnique,
): Promise<ColdFunction[]> {
  const functions = Array.from({ length: count }, (_, i) => ({ name: `cold-${first + i}`, number: first + i }));
  await inLanes(functions, async ({ name, number }) => platform.api.deploy(name, await pack(number), config));
  return functions;
}

/** Removes them, and with them their instances. */
export const removeAll = (platform: BenchPlatform, functions: readonly ColdFunction[]): Promise<void> =>
  inLanes(functions, ({ name }) => platform.api.remove(name));

/**
 * Sends a function its first request.
 * @param connection kept open since before; absent: one of its own, whose opening is part of the time
 * @throws Error when the answer is wrong or the start was not cold
 */
export async function coldRequest(
  platform: Pick<BenchPlatform, 'gatewayUrl'>,
  { name, number }: ColdFunction,
  connection?: Agent,
): Promise<ColdStart> {
  const options = connection === undefined ? {} : { agent: connection };
  const { status, headers, body, tookMs } = await timedRequest(`${platform.gatewayUrl}/${name}`, options);
  const right = status === 200 && headers['x-swiftlet-start'] === 'cold' && body === JSON.stringify({ message: 'Hello, world!', number });
  if (!right) throw new Error(`${name} answered ${status} (${String(headers['x-swiftlet-start'])}): ${body}`);
  return { tookMs, timing: parseServerTiming(String(headers['server-timing'])) };
}

/** A connection to the gateway that is kept, as a load balancer's is. The bench's own code is run over it until it is as fast as it gets. */
export async function openConnection(platform: BenchPlatform): Promise<Agent> {
  const connection = new Agent({ keepAlive: true, maxSockets: 1 });
  for (let i = 0; i < 300; i++) await timedRequest(`${platform.gatewayUrl}/_/health`, { agent: connection });
  return connection;
}

async function inLanes<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const waiting = items.values();
  const lane = async () => {
    for (const item of waiting) await work(item);
  };
  await Promise.all(Array.from({ length: deploysAtOnce }, lane));
}
