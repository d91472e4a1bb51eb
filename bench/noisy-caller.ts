/** The process of `noisy-load.ts`: calls one URL at a steady pace, and counts what comes back. */
import { Agent, request } from 'node:http';
import type { NoisyCalls } from './noisy-load.ts';

const turnMs = 10;
const maxUnderWay = 1_000;
const { url, perSecond, headers } = JSON.parse(process.argv[2] ?? '') as NoisyCalls;
const agent = new Agent({ keepAlive: true, maxSockets: maxUnderWay });
const counts: Record<string, number> = {};
const count = (what: string) => (counts[what] = (counts[what] ?? 0) + 1);
const method = headers['prefer'] === undefined ? 'GET' : 'POST';
const startedAt = performance.now();
let [called, underWay] = [0, 0];

function call(): void {
  if (underWay >= maxUnderWay) {
    count('unsent');
    return;
  }
  underWay++;
  const sent = request(url, { method, agent, headers }, (response) => {
    count(String(response.statusCode));
    response.resume();
  });
  sent.on('error', () => count('none'));
  sent.on('close', () => underWay--);
  sent.end();
}

process.on('disconnect', () => process.exit());
process.on('message', () => process.send?.(counts));
setInterval(() => {
  for (const due = ((performance.now() - startedAt) * perSecond) / 1_000; called < due; called++) call();
}, turnMs);
