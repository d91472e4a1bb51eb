/** Text that means something to whoever reads it next: terminals, line readers, JavaScript objects. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { packageFolder } from '../../src/role/package-folder.ts';
import { openBystander } from './bystander.ts';
import { type E2e, eventually, openE2e } from './functions.ts';
import { sendRaw, statusesIn } from './raw-http.ts';

/** A line end of each kind, a terminal's orders, a window's title, a C1 order, and the line separators of JavaScript. */
const hostile = 'a\r\nforged\n\u001b[2J\u001b]0;title\u0007\u009b31m\u0085\u2028forged\u2029\u0000\b"}';
const control = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029]/;

const cli = join(packageFolder, 'src', 'cli', 'main.ts');
let e2e: E2e;
let beside: Awaited<ReturnType<typeof openBystander>>;
before(async () => {
  e2e = await openE2e();
  beside = await openBystander(e2e);
});
after(() => e2e[Symbol.asyncDispose]());

async function logs(name: string, ...flags: string[]): Promise<string> {
  const env = { ...process.env, SWIFTLET_HOME: e2e.platform.home, SWIFTLET_API_URL: e2e.platform.apiUrl, NO_COLOR: '1' };
  return (await promisify(execFile)(process.execPath, [cli, 'logs', name, ...flags], { env })).stdout;
}

/** Every way in which a function's text gets into its log. */
const writers: Readonly<Record<string, string>> = {
  printed: 'console.log(text); return 1;',
  streamed: 'process.stderr.write(text + "\\n"); return 1;',
  raw: 'fs.writeSync(1, text + "\\n"); return 1;',
  'forged-record': 'fs.writeSync(1, "\\x1e" + JSON.stringify(["info", 1, "\\x1b[2J\\r\\n\\u2028", text]) + "\\n"); return 1;',
  thrown: 'const error = new Error(text); error.name = text; throw error;',
  rejected: 'throw { [text]: text };',
  returned: 'return { statusCode: 200, headers: { [text]: text } };',
  asked: 'console.log(JSON.stringify(event)); return 1;',
};
for (const [how, code] of Object.entries(writers)) {
  test(`control characters in what is ${how}: one JSON record a line, and none reaches a terminal`, async () => {
    const name = `writes-${how}`;
    await e2e.publish(
      name,
      `import fs from 'node:fs'; const text = ${JSON.stringify(hostile)}; export const handler = async (event) => { ${code} };`,
    );
    await beside(() => e2e.call(`/${name}/?q=${encodeURIComponent(hostile)}`, { headers: { 'x-hostile': '\u009b31m\u0085' } }));
    await eventually(
      () => e2e.log(name),
      (records) => records.some(({ level }) => level === 'report'),
    );
    const folder = join(e2e.platform.home, 'relay', 'logs', 'default', name);
    const stored = readdirSync(folder)
      .map((file) => readFileSync(join(folder, file), 'utf8'))
      .join('');
    const printed = await logs(name, '--json');
    for (const text of [stored, printed]) {
      const lines = text.split('\n').filter(Boolean);
      assert.ok(lines.length >= 1);
      for (const line of lines) {
        assert.equal(typeof (JSON.parse(line) as { level: unknown }).level, 'string');
        assert.doesNotMatch(line, control);
      }
    }
    assert.doesNotMatch(await logs(name), control);
  });
}

test('what a caller sends is in no line of the platform’s own log but as JSON', async () => {
  for (const path of ['%1b%5b2J', 'nobody%0d%0a', 'x'.repeat(500)]) await e2e.call(`/${path}`);
  await sendRaw(e2e.platform.gatewayUrl, `GET /\x1b[2J HTTP/1.1\r\nHost: a\r\nX: \x1b]0;t\x07\r\n\r\n`);
  const lines = readFileSync(join(e2e.platform.home, 'bench.log'), 'utf8').split('\n');
  for (const line of lines) {
    assert.doesNotMatch(line, control);
    if (line.startsWith('{')) JSON.parse(line);
  }
});

const polluting = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty'];

test('__proto__ and its kin are names like any other, in headers, queries, cookies, JSON and paths', async () => {
  await e2e.publish(
    'names',
    `export const handler = (e) => ({
      headers: Object.keys(e.headers), query: Object.entries(e.queryStringParameters ?? {}), cookies: e.cookies,
      body: Object.keys(JSON.parse(e.body)), path: e.rawPath,
      polluted: [{}.polluted, [].polluted, Object.prototype.polluted, typeof {}.toString, typeof e.headers.hasOwnProperty],
    });`,
  );
  const query = polluting.map((name) => `${name}=polluted&${name}[polluted]=1`).join('&');
  const body = `{${polluting.map((name) => `"${name}":{"polluted":1}`).join(',')}}`;
  const head = [
    `POST /names/__proto__/polluted?${query} HTTP/1.1`,
    'Host: a',
    ...polluting.map((name) => `${name}: polluted`),
    'Cookie: __proto__=polluted; constructor=polluted',
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
    'Connection: close',
  ];
  const answer = await beside(() => sendRaw(e2e.platform.gatewayUrl, `${head.join('\r\n')}\r\n\r\n${body}`));
  assert.deepEqual(statusesIn(answer), [200]);
  const seen = JSON.parse(answer.slice(answer.indexOf('\r\n\r\n'))) as Record<string, unknown>;
  for (const name of polluting) assert.ok((seen['headers'] as string[]).includes(name.toLowerCase()), name);
  assert.deepEqual(seen['body'], polluting);
  assert.deepEqual(
    new Set((seen['query'] as [string, string][]).map(([name]) => name)),
    new Set(polluting.flatMap((name) => [name, `${name}[polluted]`])),
  );
  assert.deepEqual(seen['cookies'], ['__proto__=polluted', 'constructor=polluted']);
  assert.equal(seen['path'], '/__proto__/polluted');
  assert.deepEqual((seen['polluted'] as unknown[]).slice(0, 4), [null, null, null, 'function']);
});

test('__proto__ and its kin as functions: there are none', async () => {
  for (const name of [...polluting, '_', '__proto__%20']) {
    const { status } = await beside(() => e2e.call(`/${name}/`));
    assert.equal(status, 404, name);
    const { status: event } = await e2e.call(`/_/invoke/${name}`, {
      method: 'POST',
      body: '{}',
      headers: { authorization: `Bearer ${e2e.platform.token}` },
    });
    assert.equal(event, 404, name);
  }
});

test('an event whose keys are __proto__ reaches its function as it is', async () => {
  await e2e.publish('event-keys', 'export const handler = (e) => ({ keys: Object.keys(e), polluted: {}.polluted ?? null });');
  const headers = { authorization: `Bearer ${e2e.platform.token}` };
  const { json } = await e2e.call('/_/invoke/event-keys', { method: 'POST', body: '{"__proto__":{"polluted":1},"a":1}', headers });
  assert.deepEqual(json, { keys: ['__proto__', 'a'], polluted: null });
});
