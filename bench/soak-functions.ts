/** What a mixed load calls: functions that answer, stream, fail, hang and die. */
import { packModule } from './bench-functions.ts';
import type { ConfigInput } from './control-api.ts';
import type { BenchPlatform } from './platform.ts';

/** What `stream` sends: so many chunks, each this long, each of one letter that follows from its number. */
export const streamed = { chunks: 16, chunkBytes: 8 * 1024 } as const;
export const letterOf = (chunk: number): string => String.fromCharCode(97 + (chunk % 26));

/** Handlers that are called with a time beyond it are cut off. */
const slowTimeoutMs = 250;

const sources = {
  echo: `export const handler = ({ body, isBase64Encoded }) => ({
  statusCode: 200, headers: { 'content-type': 'text/plain' }, body: isBase64Encoded ? Buffer.from(body, 'base64').toString() : body });`,
  stream: `export default { fetch() {
  async function* chunks() {
    for (let i = 0; i < ${streamed.chunks}; i++) { yield Buffer.alloc(${streamed.chunkBytes}, 97 + (i % 26)); await new Promise(setImmediate); }
  }
  return new Response(ReadableStream.from(chunks()));
} };`,
  fails: `export const handler = ({ rawQueryString }) => { throw new TypeError('on purpose ' + rawQueryString); };`,
  hangs: `export const handler = () => new Promise(() => setInterval(() => {}, 1000));`,
  dies: `export const handler = () => process.exit(3);`,
} as const;

export type SoakFunction = keyof typeof sources;
export const soakFunctions = Object.keys(sources) as readonly SoakFunction[];

const configs: Partial<Record<SoakFunction, ConfigInput>> = { stream: { concurrency: 10 }, hangs: { timeoutMs: slowTimeoutMs } };
/** Short, so that scaling to zero and starting again is part of the load. */
const idleMs = 1_000;

export async function deploySoakFunctions({ api }: BenchPlatform): Promise<void> {
  for (const name of soakFunctions) await api.deploy(name, await packModule(sources[name]), { idleMs, ...configs[name] });
}
