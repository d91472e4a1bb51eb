/** The callers of a mixed load. Every answer is checked to the byte. */
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { letterOf, streamed } from './soak-functions.ts';
import { timedRequest, type TimedAnswer } from './timed-request.ts';

/** One call. Resolves with what was wrong, if something was. */
type Visit = (url: string, agent: Agent, number: number) => Promise<string | undefined>;

const wholeStream = Array.from({ length: streamed.chunks }, (_, i) => letterOf(i).repeat(streamed.chunkBytes)).join('');

const echo: Visit = async (url, agent, number) => {
  const sent = `${number}:${'x'.repeat(number % 5_000)}`;
  const answer = await timedRequest(`${url}/echo`, { method: 'POST', body: sent, headers: { 'content-type': 'text/plain' }, agent });
  return answer.status === 200 && answer.body === sent ? undefined : told('echo', answer);
};

const stream: Visit = async (url, agent) => {
  const answer = await timedRequest(`${url}/stream`, { agent });
  return answer.status === 200 && answer.body === wholeStream ? undefined : told('stream', answer);
};

const problem =
  (name: string, status: number, code: string): Visit =>
  async (url, agent, number) => {
    const answer = await timedRequest(`${url}/${name}?${number}`, { agent });
    return answer.status === status && codeIn(answer.body) === code ? undefined : told(name, answer);
  };

/** Hangs up in the middle of a streamed answer. */
const hangUp: Visit = (url, agent) =>
  new Promise((resolve) => {
    const sent = request(`${url}/stream`, { agent }, (response) => {
      response.once('data', () => sent.destroy());
      response.on('error', () => undefined);
      response.on('close', () =>
        resolve(response.statusCode === 200 ? undefined : `stream before hanging up: ${String(response.statusCode)}`),
      );
    });
    sent.on('error', (error) => resolve(`stream before hanging up: ${error.message}`));
    sent.end();
  });

/** What of a hundred visits each kind gets. */
const mix: readonly (readonly [share: number, visit: Visit])[] = [
  [70, echo],
  [15, stream],
  [6, problem('fails', 502, 'HandlerError')],
  [6, hangUp],
  [2, problem('hangs', 504, 'Timeout')],
  [1, problem('dies', 502, 'FunctionCrashed')],
];

// The order is mixed by a step that is prime to a hundred, so that a kind does not come in a row.
const visits = mix.flatMap(([share, visit]) => Array.from({ length: share }, () => visit));
const visitOf = (number: number): Visit => visits[(number * 37) % visits.length] ?? echo;

export interface SoakTally {
  readonly visits: number;
  readonly wrong: readonly string[];
}

const visitors = 8;
const pauseMs = 50;

/** Visits until the time is over. Connections are kept while it lasts and closed at its end. */
export async function visitFor(url: string, ms: number, signal: AbortSignal): Promise<SoakTally> {
  const agent = new Agent({ keepAlive: true, maxSockets: 2 * visitors });
  const until = performance.now() + ms;
  const wrong: string[] = [];
  let number = 0;
  const visitor = async () => {
    while (performance.now() < until) {
      number += 1;
      const own = number;
      const said = await visitOf(own)(url, agent, own).catch((error: unknown) => `visit ${own} broke: ${String(error)}`);
      if (said !== undefined) wrong.push(said);
      await sleep(pauseMs, undefined, { signal });
    }
  };
  try {
    await Promise.all(Array.from({ length: visitors }, visitor));
  } finally {
    agent.destroy();
  }
  return { visits: number, wrong };
}

const told = (name: string, { status, body }: TimedAnswer): string => `${name} answered ${status}: ${body.slice(0, 200)}`;

function codeIn(body: string): unknown {
  try {
    return (JSON.parse(body) as { code?: unknown }).code;
  } catch {
    return undefined;
  }
}
