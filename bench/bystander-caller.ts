/** The process of `bystander.ts`: asks one URL again and again, and tells how long each answer took when it is asked. */
import { setPriority } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { Agent } from 'node:http';
import { timedRequest } from './timed-request.ts';

const betweenAnswersMs = 5;
const [url = '', expected = ''] = process.argv.slice(2);
const agent = new Agent({ keepAlive: true, maxSockets: 1 });
let tookMs: number[] = [];
let wrong: string[] = [];

try {
  // A caller elsewhere has its own processors.
  setPriority(-19);
} catch {
  // Not root: it has to wait its turn.
}
process.on('disconnect', () => process.exit());
process.on('message', () => {
  process.send?.({ tookMs, wrong });
  tookMs = [];
  wrong = [];
});
for (;;) {
  try {
    const answer = await timedRequest(url, { agent });
    if (answer.status === 200 && answer.body === expected) tookMs.push(answer.tookMs);
    else wrong.push(`${answer.status} ${answer.body}`);
  } catch (error) {
    wrong.push(String(error));
  }
  await pause(betweenAnswersMs);
}
