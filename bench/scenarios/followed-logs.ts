import { setTimeout as pause } from 'node:timers/promises';
import { packModule } from '../bench-functions.ts';
import type { Scenario } from '../scenario.ts';
import { summarise } from '../statistics.ts';

const poolSize = 2;
const samples = 200;
const quickSamples = 20;
/** Between two requests, and not a multiple of anything that the log waits for. */
const pauseMs = 37;
const source = 'export const handler = () => { console.log(`at ${performance.timeOrigin + performance.now()}`); };\n';

/** How long after a function printed a line it reaches who follows the log over the API, as `swiftlet logs -f` does. */
export const followedLogs: Scenario = {
  name: 'followed-logs',
  title: 'a printed line until its follower has it',
  byDefault: true,
  async run({ quick, startPlatform, signal }) {
    await using platform = await startPlatform({ poolSize });
    await platform.api.deploy('prints', await packModule(source));
    const wanted = quick ? quickSamples : samples;
    const hangUp = new AbortController();
    const response = await fetch(`${platform.apiUrl}/v1/functions/prints/logs?follow=true&last=0`, {
      headers: { authorization: `Bearer ${platform.token}` },
      signal: AbortSignal.any([signal, hangUp.signal]),
    });
    if (response.body === null) throw new Error('the log has no body');
    const delays: number[] = [];
    const reading = readDelays(response.body, delays, wanted);
    for (let sent = 0; sent < wanted; sent++) {
      await (await fetch(`${platform.gatewayUrl}/prints/`, { signal })).arrayBuffer();
      await pause(pauseMs, undefined, { signal });
    }
    await reading;
    hangUp.abort();
    const { p50, p99, count } = summarise(delays);
    return {
      figures: [
        { what: 'p50', value: p50, unit: 'ms', samples: count },
        { what: 'p99', value: p99, unit: 'ms', samples: count, target: { atMost: 200 } },
      ],
      isolation: platform.isolation,
      poolSize,
      notes: [],
    };
  },
};

async function readDelays(body: NonNullable<Response['body']>, delays: number[], wanted: number): Promise<void> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    const now = performance.timeOrigin + performance.now();
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const printed = /"message":"at ([\d.]+)"/.exec(line)?.[1];
      if (printed !== undefined) delays.push(now - Number(printed));
    }
    if (delays.length >= wanted) return;
  }
}
