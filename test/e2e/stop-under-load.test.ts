/** A stop while callers keep coming: whatever was accepted is answered, whole. */
import assert from 'node:assert/strict';
import { Agent, get } from 'node:http';
import { test } from 'node:test';
import { eventually, openE2e } from './functions.ts';

interface Tally {
  answered: number;
  readonly failed: string[];
}

const callers = 30;

/** One caller after another on one connection, until the platform says that it is over, or cannot be connected to. */
async function callAgain(url: string, agent: Agent, tally: Tally, expected: RegExp): Promise<void> {
  for (;;) {
    const outcome = await new Promise<string>((resolve) => {
      const request = get(url, { agent }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.once('close', () =>
          resolve(response.complete && expected.test(text) ? 'answered' : `${response.statusCode ?? 0} ${text.slice(0, 200)}`),
        );
      });
      request.once('error', (error) => resolve('code' in error && error.code === 'ECONNREFUSED' ? 'refused' : error.message));
    });
    if (outcome === 'refused') return;
    if (outcome === 'answered') tally.answered += 1;
    else tally.failed.push(outcome);
  }
}

for (const connections of ['kept', 'new'] as const) {
  test(`SIGTERM while callers on ${connections} connections go on: no request that was accepted fails`, async () => {
    const e2e = await openE2e();
    const { gatewayUrl, pid } = e2e.platform;
    await e2e.publish('quick', 'export const handler = () => new Promise((r) => setTimeout(r, 5, "x".repeat(100_000)));', {
      concurrency: 50,
    });
    // Cold when the stop comes: it waits for an instance then.
    await e2e.publish('cold', 'await new Promise((r) => setTimeout(r, 600)); export const handler = () => "late";');
    await e2e.call('/quick/');
    const tally: Tally = { answered: 0, failed: [] };
    const agents = Array.from({ length: callers }, () => new Agent({ keepAlive: connections === 'kept', maxSockets: 1 }));
    const calling = agents.map((agent) => callAgain(`${gatewayUrl}/quick/`, agent, tally, /^"x{100000}"$/));
    await eventually(
      () => tally.answered,
      (answered) => answered > callers,
    );
    const cold = e2e.call('/cold/');
    await new Promise((resolve) => setTimeout(resolve, 100));
    process.kill(pid, 'SIGTERM');
    await Promise.all(calling);
    assert.deepEqual((await cold).text, '"late"');
    // On a new connection the system may have said yes for a gateway that never heard of it.
    const failed = connections === 'kept' ? tally.failed : tally.failed.filter((message) => !/ECONNRESET|hang up/.test(message));
    assert.deepEqual(failed, []);
    for (const agent of agents) agent.destroy();
    await e2e[Symbol.asyncDispose]();
  });
}
