/** Programs that listen on $PORT, in real sandboxes. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { request as sendRequest } from 'node:http';
import { after, before, test } from 'node:test';
import { goProgram } from '../brokers/go-program.ts';
import { missingTools } from '../programs/missing-tools.ts';
import { type E2e, eventually, openE2e } from './functions.ts';
import { needsRoot } from './needs.ts';

const programs = new URL('../programs/', import.meta.url);
const server = readFileSync(new URL('server.mjs', programs), 'utf8');

let e2e: E2e;
before(async () => {
  e2e = await openE2e({ poolSize: 2 });
  await publish('site', { 'server.mjs': server }, 'node server.mjs', { concurrency: 4 });
});
after(() => e2e[Symbol.asyncDispose]());

type Config = Parameters<E2e['publish']>[2];
const publish = (name: string, files: Record<string, string | Buffer>, handler: string, config: Config = {}) =>
  e2e.publish(name, files, { runtime: 'http', handler, ...config });

/** Sends an event, as a timer or a queue does. */
const send = (name: string, event: string) =>
  e2e.call(`/_/invoke/${name}`, {
    method: 'POST',
    body: event,
    headers: { authorization: `Bearer ${e2e.platform.token}`, 'content-type': 'application/json' },
  });

test('a server in Node.js: what it is told, and whose request it was', async () => {
  const { status, json, headers } = await e2e.call('/site/');
  assert.equal(status, 200, JSON.stringify(json));
  assert.deepEqual([json['PORT'], json['K_SERVICE'], json['K_REVISION'], json['served']], ['8080', 'site', 'site-00001', 1]);
  assert.equal(json['id'], headers.get('x-swiftlet-request-id'));
  assert.equal(json['host'], new URL(e2e.platform.gatewayUrl).host);
  assert.equal(headers.get('x-swiftlet-start'), 'cold');
  assert.match(headers.get('server-timing') ?? '', /runtime;dur=.*, init;dur=/);
  const records = await eventually(
    () => e2e.log('site'),
    (all) => all.some(({ message }) => message === 'asked'),
  );
  assert.ok(records.some(({ message, level }) => message === 'asked' && level === 'info'));
});

test('a server in Python, of the host’s library', async () => {
  await publish('files', { 'public/a.txt': 'from python' }, 'exec python3 -m http.server --directory public "$PORT"');
  const { status, text, headers } = await e2e.call('/files/a.txt');
  assert.deepEqual([status, text, headers.get('content-type')], [200, 'from python', 'text/plain']);
  assert.equal((await e2e.call('/files/none')).status, 404);
});

test('a static binary of Go’s', { skip: missingTools(['go']) }, async () => {
  await publish('go', { server: readFileSync(await goProgram(new URL('go-function', programs), '.')) }, './server');
  const { status, text, headers } = await e2e.call('/go/', { method: 'POST', body: 'to go' });
  assert.deepEqual([status, text, headers.get('x-from')], [202, 'to go', 'go']);
});

test('bodies of any size go both ways, with status, headers and cookies; HEAD has no body', async () => {
  for (const size of [0, 10, 300_000, 5_000_000]) {
    const body = 'x'.repeat(size);
    const { status, text, headers } = await e2e.call('/site/echo', { method: 'PUT', body });
    assert.deepEqual([status, text.length, headers.get('x-method'), headers.getSetCookie()], [201, size, 'PUT', ['a=1', 'b=2']]);
  }
  assert.equal((await e2e.call('/site/', { method: 'HEAD' })).status, 200);
  assert.equal((await e2e.call('/site/no')).status, 404);
});

test('an answer may begin before its request is whole', async () => {
  const request = sendRequest(`${e2e.platform.gatewayUrl}/site/stream`, { method: 'POST', headers: { 'transfer-encoding': 'chunked' } });
  request.flushHeaders();
  const seen = await new Promise<string>((resolve, reject) => {
    let said = '';
    request.once('error', reject);
    request.once('response', (response) => {
      response.setEncoding('utf8');
      response.on('data', (piece: string) => {
        said += piece;
        if (said === 'one ') request.end('go on');
      });
      response.once('end', () => resolve(said));
    });
  });
  assert.equal(seen, 'one two');
});

test('as many requests are in one instance at once as it takes', async () => {
  const answers = await Promise.all([e2e.call('/site/together'), e2e.call('/site/together')]);
  assert.deepEqual(
    answers.map(({ text }) => text),
    ['both', 'both'],
  );
});

test('an event is a POST to /; an answer that is an error is the event’s', async () => {
  const good = await send('site', '{"a":"🐦"}');
  assert.deepEqual([good.status, good.text], [200, '{"a":"🐦"}']);
  const bad = await send('site', '{"bad":true}');
  assert.deepEqual([bad.status, bad.json['code']], [502, 'HandlerError']);
  assert.match(String(bad.json['detail']), /Status422/);
});

test('an answer that breaks off, and a server that exits, are no whole answers; the next request is served', async () => {
  for (const [path, code] of [
    ['abort', 'HandlerError'],
    ['exit', 'FunctionCrashed'],
  ]) {
    const { status, json } = await e2e.call(`/site/${path}`);
    assert.deepEqual([status, json['code']], [502, code]);
  }
  assert.equal((await e2e.call('/site/')).status, 200);
});

test('what Knative’s contract says of devices, of /tmp and of signals', async () => {
  const keeps = `import { closeSync, mkdtempSync, openSync, readFileSync, readSync, statSync, writeFileSync, writeSync } from 'node:fs';
    import { createServer } from 'node:http';
    const read = (path, bytes) => { const file = openSync(path, 'r'); const came = Buffer.alloc(bytes, 1); const count = readSync(file, came); closeSync(file); return { count, came }; };
    const codeOf = (work) => { try { return work(); } catch (error) { return error.code; } };
    const seen = () => {
      const folder = mkdtempSync('/tmp/kept-');
      writeFileSync(folder + '/file', 'kept');
      return {
        tmp: [(statSync('/tmp').mode & 0o7777).toString(8), readFileSync(folder + '/file', 'utf8')],
        null: [read('/dev/null', 8).count, codeOf(() => writeSync(openSync('/dev/null', 'w'), 'gone'))],
        zero: read('/dev/zero', 8).came.every((byte) => byte === 0),
        random: ['/dev/random', '/dev/urandom'].map((path) => read(path, 64).count),
        full: codeOf(() => writeSync(openSync('/dev/full', 'w'), 'x')),
        tty: statSync('/dev/tty').isCharacterDevice(),
      };
    };
    const server = createServer((_request, response) => response.end(JSON.stringify(seen()))).listen(process.env.PORT);
    process.on('SIGTERM', () => { server.close(); setTimeout(() => { console.log('ended itself'); process.exit(0); }, 200); });`;
  // A shell stands between: those of its group are told, too.
  await publish('contract', { 'server.mjs': keeps }, 'node server.mjs; echo the shell goes on', { idleMs: 1_000 });
  const { status, json } = await e2e.call('/contract/');
  assert.equal(status, 200, JSON.stringify(json));
  assert.deepEqual(json, { tmp: ['1777', 'kept'], null: [0, 4], zero: true, random: [64, 64], full: 'ENOSPC', tty: true });
  const records = await eventually(
    () => e2e.log('contract'),
    (all) => all.some(({ message }) => message === 'ended itself'),
    30_000,
  );
  assert.deepEqual(
    records.filter(({ level }) => level === 'fatal'),
    [],
  );
});

test('frozen when it is idle; it answers with its state when it is thawed', { skip: needsRoot }, async () => {
  await publish('rests', { 'server.mjs': server }, 'node server.mjs', { freezeMs: 100 });
  assert.equal((await e2e.call('/rests/')).json['served'], 1);
  await eventually(
    () => e2e.platform.api.instances('rests'),
    (all) => all.length === 1 && all[0]?.state === 'frozen',
  );
  const again = await e2e.call('/rests/');
  assert.deepEqual([again.json['served'], again.headers.get('x-swiftlet-start')], [2, 'thawed']);
});

const failures: [name: string, handler: string, status: number, code: string, detail: RegExp][] = [
  [
    'port-never',
    'echo "on my way"; sleep 30',
    504,
    'InitTimeout',
    /it did not answer on port 8080 \(\$PORT\).*its last lines:\non my way$/s,
  ],
  [
    'exits',
    'echo "no database" >&2; exit 2',
    502,
    'InitError',
    /before it could answer on port 8080.*exit status 2; its last lines:\nno database$/s,
  ],
  ['no-command', 'nodeless server.mjs', 502, 'InitError', /exit status 127; its last lines:\n.*nodeless: not found$/s],
];
for (const [name, handler, status, code, detail] of failures) {
  test(`${name}: ${status} ${code}, with what it printed last`, async () => {
    await publish(name, { 'server.mjs': server }, handler, { initTimeoutMs: 2_000 });
    const { json, status: got } = await e2e.call(`/${name}/`);
    assert.deepEqual([got, json['code']], [status, code]);
    assert.match(String(json['detail']), detail);
  });
}

test('a file that is not in the bundle is missed when it is deployed', async () => {
  await assert.rejects(publish('none', { 'a.txt': '' }, './server --fast'), /needs a file \\?"server\\?" .* which has a\.txt/);
});
