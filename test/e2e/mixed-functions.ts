/**
 * One function for each way in which code is run, all alike: asked for `{ token, times, do }` it says the token so many times, at once or after a
 * while, fails with it, or never answers.
 */
import type { E2e } from './functions.ts';

const body = `
const said = ({ token, times }) => Array(times).fill(token).join(' ');
async function work(asked) {
  if (asked.do === 'wait') await new Promise((resolve) => setTimeout(resolve, Math.random() * 10));
  if (asked.do === 'error') throw new RangeError('asked by ' + asked.token);
  if (asked.do === 'never') await new Promise(() => setInterval(() => undefined, 1e6));
  return said(asked);
}`;

const node = `${body}
export const handler = async (event) => {
  if (event.body === undefined) return { said: await work(event) };
  const asked = JSON.parse(event.body);
  return { statusCode: 200, headers: { 'content-type': 'text/plain', 'x-token': asked.token }, body: await work(asked) };
};`;

const streams = `${body}
export default { async fetch(request) {
  const asked = await request.json();
  const text = await work(asked);
  const half = Math.floor(text.length / 2);
  const pieces = async function* () { yield text.slice(0, half); await new Promise((resolve) => setImmediate(resolve)); yield text.slice(half); };
  return new Response(ReadableStream.from(pieces()).pipeThrough(new TextEncoderStream()), { headers: { 'x-token': asked.token } });
} };`;

const server = `${body}
import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';
createServer(async (request, response) => {
  const asked = await json(request).catch(() => undefined);
  if (asked === undefined) return response.destroy();
  try {
    const text = await work(asked);
    const isEvent = request.headers['user-agent'] === undefined;
    response.writeHead(200, { 'x-token': asked.token }).end(isEvent ? JSON.stringify({ said: text }) : text);
  } catch (error) {
    response.writeHead(500).end(error.message);
  }
}).listen(process.env.PORT);`;

const bootstrap = `#!/usr/bin/env node
${body}
const api = 'http://' + process.env.AWS_LAMBDA_RUNTIME_API + '/2018-06-01/runtime/invocation/';
const send = (path, what) => fetch(api + path, { method: 'POST', body: JSON.stringify(what) }).then((answer) => answer.text());
(async () => {
  for (;;) {
    const next = await fetch(api + 'next');
    const id = next.headers.get('lambda-runtime-aws-request-id');
    const event = await next.json();
    try {
      const asked = event.body === undefined ? event : JSON.parse(event.body);
      const text = await work(asked);
      await send(id + '/response', event.body === undefined ? { said: text } : { statusCode: 200, headers: { 'x-token': asked.token }, body: text });
    } catch (error) {
      await send(id + '/error', { errorType: error.name, errorMessage: error.message });
    }
  }
})();`;

const python = `
import json, random, time

def work(asked):
    if asked["do"] == "wait": time.sleep(random.random() / 100)
    if asked["do"] == "error": raise ValueError("asked by " + asked["token"])
    if asked["do"] == "never": time.sleep(1e6)
    return " ".join([asked["token"]] * asked["times"])

def handler(event, context):
    if "body" not in event: return {"said": work(event)}
    asked = json.loads(event["body"])
    return {"statusCode": 200, "headers": {"content-type": "text/plain", "x-token": asked["token"]}, "body": work(asked)}
`;

/** What is wrong on purpose: each caller gets what the one before it asked for. */
const swapping = `
let before;
export const handler = async (event) => {
  const { token } = event.body === undefined ? event : JSON.parse(event.body);
  const said = before ?? token;
  before = token;
  return event.body === undefined ? { said } : { statusCode: 200, headers: { 'content-type': 'text/plain' }, body: said };
};`;

export interface MixedFunction {
  readonly name: string;
  /** Whether it takes events, as Lambda's API sends them. */
  readonly takesEvents: boolean;
}

type Files = Parameters<E2e['publish']>[1];
type Config = NonNullable<Parameters<E2e['publish']>[2]>;

const timeoutMs = 1_000;
const functions: Readonly<Record<string, { files: Files; config: Config; takesEvents: boolean }>> = {
  'mixed-node': { files: node, config: { maximum: 4 }, takesEvents: true },
  'mixed-many': { files: node, config: { concurrency: 8, maximum: 2 }, takesEvents: true },
  'mixed-fetch': { files: streams, config: { concurrency: 8, maximum: 2 }, takesEvents: false },
  'mixed-python': { files: { 'index.py': python }, config: { runtime: 'python3', handler: 'index', maximum: 4 }, takesEvents: true },
  'mixed-http': {
    files: { 'server.mjs': server },
    config: { runtime: 'http', handler: 'node server.mjs', concurrency: 8, maximum: 2 },
    takesEvents: true,
  },
  'mixed-provided': { files: { bootstrap }, config: { runtime: 'provided', handler: 'bootstrap', maximum: 3 }, takesEvents: true },
};

/** Publishes them all. */
export async function publishMixed(e2e: E2e): Promise<MixedFunction[]> {
  const limits = { timeoutMs, queueLength: 10_000, queueTimeoutMs: 60_000 };
  for (const [name, { files, config }] of Object.entries(functions)) await e2e.publish(name, files, { ...limits, ...config });
  return Object.entries(functions).map(([name, { takesEvents }]) => ({ name, takesEvents }));
}

/** Publishes the one that is to be found out. */
export async function publishSwapping(e2e: E2e): Promise<MixedFunction[]> {
  await e2e.publish('swaps', swapping, { concurrency: 4, maximum: 1 });
  return [{ name: 'swaps', takesEvents: true }];
}
