/** Fetches and builds what Debian has not, before tests with limits of time begin; what is there already takes no time. */
import { goProgram } from './go-program.ts';
import { kafkaFiles } from './kafka-jars.ts';
import { natsProgram } from './nats.ts';
import { s3Program } from './s3.ts';

/** Resolves when all that can be had is there. What cannot is said, and said again by the tests that need it. */
export async function prepareBrokers(): Promise<void> {
  for (const step of await Promise.allSettled([kafkaFiles(), builtPrograms()]))
    if (step.status === 'rejected') process.stderr.write(`a server for tests is missing: ${String(step.reason)}\n`);
}

/** One after the other: each build takes all processors. */
async function builtPrograms(): Promise<void> {
  await goProgram(...natsProgram);
  await goProgram(...s3Program);
}
