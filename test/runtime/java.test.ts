/** What handlers in Java may be, and how events become their types: the runtime's own JVM, asked by a Runtime API of this test's. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { findJava } from '../../src/build/find-java.ts';
import { openJava } from '../../src/agent/runtimes/java-runtime.ts';
import { javaFolder } from '../programs/java-functions.ts';
import { javaTools, missingTools } from '../programs/missing-tools.ts';

const java = findJava({}) ?? 'java';
const missing = missingTools(javaTools);
let folder: string;
let jar: string;
let classes: string;
before(async () => {
  if (missing !== false) return;
  folder = await mkdtemp(join(tmpdir(), 'swiftlet-java-'));
  const runtime = openJava(folder, java);
  await runtime.ready();
  jar = join(runtime.folder, 'runtime.jar');
  classes = await javaFolder();
});
after(async () => {
  if (missing === false) await rm(folder, { recursive: true });
});

interface Said {
  readonly kind: string;
  readonly body: string;
}

/** Has a handler answer events, one after the other. @returns what it posted for each */
async function answers(handler: string, events: readonly string[]): Promise<Said[]> {
  const waiting = [...events];
  const said: Said[] = [];
  const over = Promise.withResolvers<undefined>();
  const server = createServer((request, response) => {
    const path = (request.url ?? '').replace('/2018-06-01/runtime/', '');
    if (path === 'invocation/next') {
      const event = waiting.shift();
      if (event === undefined) over.resolve(undefined);
      else
        response.writeHead(200, { 'Lambda-Runtime-Aws-Request-Id': 'id-1', 'Lambda-Runtime-Deadline-Ms': Date.now() + 60_000 }).end(event);
      return;
    }
    void textOf(request).then((body) => {
      said.push({ kind: path.split('/').at(-1) ?? '', body });
      response.writeHead(202).end('{}');
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const env = { AWS_LAMBDA_RUNTIME_API: `127.0.0.1:${(server.address() as AddressInfo).port}`, _HANDLER: handler };
  const child = spawn(
    java,
    ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-cp', `${jar}:${classes}:${classes}/lib/*`, 'swiftlet.runtime.Main'],
    {
      env,
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  );
  await Promise.race([over.promise, once(child, 'exit')]);
  child.kill('SIGKILL');
  server.closeAllConnections();
  server.close();
  return said;
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

const thing =
  '{"name":"a","parts":[{"name":"b","count":1,"lasts":"PT1M"},{"name":"c"}],"size":"large","price":0.10,"detail-time":1700000000,"unknown":1}';
const bound =
  '{"detailTime":"2023-11-14T22:13:20Z","name":"a","named":true,"parts":[{"name":"b","count":1,"lasts":"PT1M"},{"name":"c","count":null,"lasts":null}],"url":"a/b","size":"LARGE","price":0.1}';

const forms: [handler: string, event: string, kind: string, answer: string | RegExp][] = [
  ['plain.Forms::thing', thing, 'response', bound],
  ['plain.Forms::map', '{"a":[1,2.5,"\\u00e9\\n",null,{}]}', 'response', '{"a":[1,2.5,"é\\n",null,{}],"id":"id-1","isInTime":true}'],
  ['plain.Forms::text', '"🐦"', 'response', '"🐦🐦"'],
  ['plain.Forms::text', '{"a":1}', 'response', '"{\\"a\\":1}{\\"a\\":1}"'],
  ['plain.Forms::list', '[1,2]', 'response', '[2,3]'],
  ['plain.Forms::list', '["x"]', 'error', /"errorMessage":"the event has \\"x\\" where the handler wants a java\.lang\.Integer"/],
  ['plain.Forms::array', '[1,2]', 'response', '[1,2]'],
  ['plain.Forms::any', '12345678901234567890', 'response', '12345678901234567890'],
  ['plain.Forms::any', '{"a":', 'error', /the event is no JSON: its end too soon at character 5/],
  ['plain.Forms::any', `${'['.repeat(5_000)}${']'.repeat(5_000)}`, 'error', /more than 1000 levels/],
  ['plain.Forms::nothing', '1', 'response', 'null'],
  ['plain.Forms::later', '3', 'response', '"after 3"'],
  ['plain.Forms::later', '-3', 'error', /"errorType":"java\.lang\.IllegalArgumentException"/],
  ['plain.Forms::stream', 'no JSON', 'response', 'no JSON'],
  ['plain.Forms::three', '1', 'error', /it may take an event, and a context/],
  ['plain.Forms::none', '1', 'error', /has no public method none; it has .*thing/],
  ['plain.Forms.none', '1', 'error', /there is no class plain\.Forms\.none/],
  [
    'shop.Batch',
    '{"Records":[{"messageId":"7","body":"fail","eventSourceARN":"arn:queue"}]}',
    'response',
    '{"batchItemFailures":[{"itemIdentifier":"7"}]}',
  ],
];

/** JSON whatever the order of members; anything else as it is. */
function canonical(text: string): string {
  try {
    return JSON.stringify(sorted(JSON.parse(text)));
  } catch {
    return text;
  }
}

const sorted = (value: unknown): unknown =>
  value === null || typeof value !== 'object' || Array.isArray(value) ? value : Object.entries(value).sort();

/** A JVM for each handler: its events one after the other. */
for (const handler of new Set(forms.map(([name]) => name))) {
  const own = forms.filter(([name]) => name === handler);
  test(`a handler in Java: ${handler}`, { skip: missing }, async () => {
    const said = await answers(
      handler,
      own.map(([, event]) => event),
    );
    for (const [i, [, event, kind, answer]] of own.entries()) {
      const { kind: found, body } = said[i] ?? { kind: 'nothing', body: '' };
      assert.equal(found, kind, `${event}: ${body}`);
      if (typeof answer === 'string') assert.equal(canonical(body), canonical(answer));
      else assert.match(body, answer);
    }
  });
}
