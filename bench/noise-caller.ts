/** The process of `noise.ts`: sends until it is told to stop, and then tells what came of it. */
import type { NoiseAnswers } from './noise.ts';
import { sendLoad } from './steady-load.ts';

const [url = '', perSecond = ''] = process.argv.slice(2);
const load = sendLoad(url, Number(perSecond));

process.on('disconnect', () => process.exit());
process.on('message', () => {
  void load.stop().then(({ tookMs, failures }) => {
    process.send?.({ good: tookMs.length, failed: failures.map(({ status }) => status) } satisfies NoiseAnswers);
  });
});
