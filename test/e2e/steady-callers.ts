/** Callers that go on and on, each on a connection of its own, and what became of each of their requests. */
import { Agent, get } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';

export interface Call {
  readonly startedAt: number;
  readonly endedAt: number;
  /** Undefined when the answer was right; else what was wrong with it. */
  readonly wrong: string | undefined;
}

export interface SteadyCallers {
  /** What has ended so far, in the order of its ends. */
  readonly calls: readonly Call[];
  /** Resolves when each caller's last request has ended. */
  stop(): Promise<void>;
}

const retryMs = 5;

/** Asks `<url>?n=<number>` without a pause, a new number each time. @param expected what is answered to a number */
export function startCallers(url: string, callers: number, expected: (number: number) => string): SteadyCallers {
  const calls: Call[] = [];
  let last = 0;
  let stopping = false;
  const callAgain = async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    while (!stopping) {
      const number = ++last;
      const startedAt = performance.now();
      const answer = await ask(`${url}?n=${number}`, agent);
      const wrong = answer === `200 ${expected(number)}` ? undefined : answer.slice(0, 300);
      calls.push({ startedAt, endedAt: performance.now(), wrong });
      if (wrong === refused) await pause(retryMs);
    }
    agent.destroy();
  };
  const running = Array.from({ length: callers }, callAgain);
  return {
    calls,
    async stop() {
      stopping = true;
      await Promise.all(running);
    },
  };
}

/** What a call is that nobody accepted. */
export const refused = 'ECONNREFUSED';

/** @returns status and text, or why there is no whole answer */
const ask = (url: string, agent: Agent): Promise<string> =>
  new Promise((resolve) => {
    const request = get(url, { agent }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.once('close', () => resolve(response.complete ? `${response.statusCode ?? 0} ${text}` : 'cut off'));
    });
    request.once('error', (error) => resolve('code' in error ? String(error.code) : error.message));
  });
