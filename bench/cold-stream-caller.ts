/** The process of `cold-stream.ts`. */
import { Agent } from 'node:http';
import { coldRequest } from './cold-starts.ts';
import { type ColdStreamAnswers, parseOrder } from './cold-stream.ts';

const { gatewayUrl, functions, lanes, forMs } = parseOrder(process.argv[2] ?? '');
const answers: { atMs: number; tookMs: number }[] = [];
const wrong: string[] = [];
let next = 1;

process.on('disconnect', () => process.exit());
const startedAt = performance.now();
const began = process.cpuUsage();
const sinceStart = () => performance.now() - startedAt;

async function lane(): Promise<void> {
  const connection = new Agent({ keepAlive: true, maxSockets: 1 });
  while (next <= functions && sinceStart() < forMs) {
    const number = next++;
    try {
      const { tookMs } = await coldRequest({ gatewayUrl }, { name: `cold-${number}`, number }, connection);
      answers.push({ atMs: sinceStart(), tookMs });
    } catch (error) {
      wrong.push(String(error));
    }
  }
  connection.destroy();
}

await Promise.all(Array.from({ length: lanes }, lane));
const { user, system } = process.cpuUsage(began);
process.send?.({ answers, wrong, lastedMs: sinceStart(), cpuMs: (user + system) / 1000 } satisfies ColdStreamAnswers);
