/**
 * Callers whose every request has a token of its own, which its answer must have, and no other: over the gateway and the Lambda API, of functions of
 * every kind, with errors, time-outs and callers that hang up in between.
 */
import { Agent, type IncomingMessage, request as send } from 'node:http';
import { AwsClient } from 'aws4fetch';
import { type Key, region } from './lambda-under-test.ts';
import type { MixedFunction } from './mixed-functions.ts';

export type Deed = 'echo' | 'wait' | 'error' | 'never';

export interface Asked {
  readonly token: string;
  readonly times: number;
  readonly do: Deed;
}

export interface Heard {
  readonly status: number;
  /** All headers, names and values. */
  readonly head: string;
  readonly text: string;
  /** Whether it ended as an answer ends. */
  readonly isWhole: boolean;
}

/**
 * `right`: its own, whole. `failed`: none was due, or none came. `swapped`: something of another's. `wrong`: status 200 and not what was asked for.
 */
export type Verdict = 'right' | 'failed' | 'swapped' | 'wrong';

const tokenPattern = /tok-\w+-\d+;/g;
const ok = 200;

/** Pure. @param heard undefined: the caller got nothing */
export function judge(asked: Asked, heard: Heard | undefined, isEvent: boolean): Verdict {
  if (heard === undefined) return 'failed';
  const { status, head, text, isWhole } = heard;
  const isForeign = (all: string) => [...all.matchAll(tokenPattern)].some(([token]) => token !== asked.token);
  if (isForeign(head) || isForeign(text)) return 'swapped';
  if (status !== ok || !isWhole || /x-amz-function-error/i.test(head)) return 'failed';
  return saidIn(text, isEvent) === Array(asked.times).fill(asked.token).join(' ') ? 'right' : 'wrong';
}

function saidIn(text: string, isEvent: boolean): unknown {
  if (!isEvent) return text;
  try {
    return (JSON.parse(text) as { said?: unknown }).said;
  } catch {
    return undefined;
  }
}

export interface MixedOptions {
  readonly gatewayUrl: string;
  readonly lambdaUrl: string;
  readonly key: Key;
  readonly functions: readonly MixedFunction[];
  readonly count: number;
  /** Callers, of which each waits for its answer. */
  readonly atOnce: number;
}

export interface MixedOutcome {
  readonly verdicts: Readonly<Record<Verdict, number>>;
  /** Right answers by the way that they came. */
  readonly rightBy: ReadonlyMap<string, number>;
  /** The first that were swapped or wrong. */
  readonly examples: readonly string[];
  readonly hungUp: number;
}

const shown = 5;
const mostTimes = 1_500;
const hangUpShare = 0.02;
const errorShare = 0.03;
const neverShare = 0.0005;
const waitShare = 0.3;
/** A caller does not wait for ever; what comes later than this came never. */
const patienceMs = 120_000;

/** Asks until so many were asked. */
export async function askMixed({ gatewayUrl, lambdaUrl, key, functions, count, atOnce }: MixedOptions): Promise<MixedOutcome> {
  const agent = new Agent({ keepAlive: true, maxSockets: atOnce });
  const signer = new AwsClient({
    accessKeyId: key.accessKeyId,
    secretAccessKey: key.secretAccessKey,
    region,
    service: 'lambda',
    retries: 0,
  });
  const run = Math.floor(Math.random() * 1e9).toString(36);
  const verdicts = { right: 0, failed: 0, swapped: 0, wrong: 0 };
  const rightBy = new Map<string, number>();
  const examples: string[] = [];
  let hungUp = 0;
  let begun = 0;

  const askOne = async (number: number) => {
    const { name, takesEvents } = functions[number % functions.length] ?? { name: '', takesEvents: false };
    const isEvent = takesEvents && Math.random() < 0.5;
    const asked: Asked = { token: `tok-${run}-${number};`, times: timesOf(Math.random()), do: deedOf(Math.random()) };
    const hangsUp = Math.random() < hangUpShare;
    if (hangsUp) hungUp += 1;
    const url = isEvent ? `${lambdaUrl}/2015-03-31/functions/${name}/invocations` : `${gatewayUrl}/${name}/`;
    const body = JSON.stringify(asked);
    const headers = { 'content-type': 'application/json', 'user-agent': 'mixed' };
    const signed = isEvent ? await signer.sign(url, { method: 'POST', headers, body }) : undefined;
    const heard = await ask(url, signed === undefined ? headers : Object.fromEntries(signed.headers), body, agent, hangsUp);
    const verdict = judge(asked, heard, isEvent);
    verdicts[verdict] += 1;
    const way = `${name} ${isEvent ? 'by the Lambda API' : 'by the gateway'}`;
    if (verdict === 'right') rightBy.set(way, (rightBy.get(way) ?? 0) + 1);
    else if (verdict !== 'failed' && examples.length < shown)
      examples.push(`${verdict}: ${way}, asked ${body}, got ${heard?.status}: ${heard?.text.slice(0, 200)}`);
  };
  const caller = async () => {
    while (begun < count) await askOne(begun++);
  };
  try {
    await Promise.all(Array.from({ length: atOnce }, caller));
  } finally {
    agent.destroy();
  }
  return { verdicts, rightBy, examples, hungUp };
}

/** Most answers are short, some come in several pieces. */
const timesOf = (chance: number): number => 1 + Math.floor(mostTimes * chance ** 8);

function deedOf(chance: number): Deed {
  if (chance < neverShare) return 'never';
  if (chance < neverShare + errorShare) return 'error';
  return chance < neverShare + errorShare + waitShare ? 'wait' : 'echo';
}

/** @param hangsUp soon, at any point @returns what came; undefined when there was no head */
function ask(
  url: string,
  headers: Readonly<Record<string, string>>,
  body: string,
  agent: Agent,
  hangsUp: boolean,
): Promise<Heard | undefined> {
  return new Promise((resolve) => {
    let answer: IncomingMessage | undefined;
    let text = '';
    const request = send(url, { method: 'POST', headers: { ...headers, 'content-length': Buffer.byteLength(body) }, agent });
    const timer = setTimeout(() => request.destroy(), hangsUp ? Math.random() * 15 : patienceMs);
    const end = () => {
      clearTimeout(timer);
      if (answer === undefined) resolve(undefined);
      else resolve({ status: answer.statusCode ?? 0, head: answer.rawHeaders.join('\n'), text, isWhole: answer.complete });
    };
    request.once('response', (came) => {
      answer = came;
      came.setEncoding('utf8');
      came.on('data', (piece: string) => (text += piece));
      came.on('error', () => undefined);
      came.once('close', end);
    });
    request.on('error', () => undefined);
    request.once('close', () => answer === undefined && end());
    request.end(body);
  });
}
