/** Functions in Python, through HTTP, in real sandboxes. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { packageFolder } from '../../src/role/package-folder.ts';
import { folderOf } from '../build/folder-of.ts';
import { type E2e, eventually, openE2e } from './functions.ts';
import { needsMemoryLimit } from './needs.ts';

let e2e: E2e;
before(async () => {
  e2e = await openE2e({ poolSize: 2 });
});
after(() => e2e[Symbol.asyncDispose]());

type Config = Parameters<E2e['publish']>[2];
const publish = (name: string, code: string, config: Config = {}) =>
  e2e.publish(name, { 'index.py': code }, { runtime: 'python3', ...config });

/** Publishes a folder as a user does; what is installed on the platform, test/e2e/builds.test.ts has. */
async function deploy(name: string, files: Record<string, string>) {
  await using folder = await folderOf(files, name);
  const env = { ...process.env, SWIFTLET_HOME: e2e.platform.home, SWIFTLET_API_URL: e2e.platform.apiUrl, NO_COLOR: '1' };
  const { status, stderr } = spawnSync(
    process.execPath,
    [join(packageFolder, 'src', 'cli', 'main.ts'), 'deploy', folder.path, '--build', 'local'],
    {
      env,
      encoding: 'utf8',
    },
  );
  return { status, stderr };
}

/** The registry may be away for a moment. */
async function deployFromRegistry(name: string, files: Record<string, string>): Promise<void> {
  let last = '';
  for (let attempt = 0; attempt < 3; attempt++) {
    const { status, stderr } = await deploy(name, files);
    if (status === 0) return;
    last = stderr;
  }
  assert.fail(last);
}

const got = '{"got": event["rawPath"], "name": event["queryStringParameters"]["name"], "id": context.aws_request_id}';
const wsgi = `from urllib.parse import parse_qs
import json
def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps({"got": environ["PATH_INFO"], "name": parse_qs(environ["QUERY_STRING"])["name"][0]}).encode()]`;
const asgi = `import json
async def app(scope, receive, send):
    if scope["type"] != "http": raise NotImplementedError
    answer = json.dumps({"got": scope["path"], "name": scope["query_string"].decode().split("=")[1]}).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": answer})`;
const forms: [what: string, code: string, handler: string][] = [
  ['py-sync', `def handler(event, context):\n    return ${got}`, 'index.handler'],
  ['py-async', `async def run(event, context):\n    return ${got}`, 'index.run'],
  ['py-usual', `def lambda_handler(event, context):\n    return ${got}`, 'index'],
  ['py-wsgi', wsgi, 'index.app'],
  ['py-asgi', asgi, 'index.app'],
];
for (const [what, code, handler] of forms) {
  test(`a handler: ${what}, cold and warm, with all phases`, async () => {
    await publish(what, code, { handler });
    const answer = await e2e.call(`/${what}/a/b?name=you`);
    assert.equal(answer.status, 200, answer.text);
    assert.deepEqual([answer.json['got'], answer.json['name']], ['/a/b', 'you']);
    assert.equal(answer.headers.get('x-swiftlet-start'), 'cold');
    assert.match(answer.headers.get('server-timing') ?? '', /^queue;dur=[\d.]+, sandbox;.*, environment;.*, runtime;.*, init;.*, handler;/);
    assert.equal((await e2e.call(`/${what}/?name=x`)).headers.get('x-swiftlet-start'), 'warm');
  });
}

const failures: [what: string, code: string, config: Config, status: number, error: string][] = [
  ['py-raises', 'def handler(event, context):\n    raise ValueError("secret detail")', {}, 502, 'HandlerError'],
  ['py-exits', 'import sys\ndef handler(event, context):\n    sys.exit(3)', {}, 502, 'FunctionCrashed'],
  ['py-segfault', 'import ctypes\ndef handler(event, context):\n    ctypes.string_at(0)', {}, 502, 'FunctionCrashed'],
  ['py-no-json', 'def handler(event, context):\n    return {1, 2}', {}, 502, 'InvalidResponse'],
  ['py-bad-status', 'def handler(event, context):\n    return {"statusCode": 99}', {}, 502, 'InvalidResponse'],
  ['py-no-module', 'import no_such_package', {}, 502, 'InitError'],
  ['py-no-python', 'def handler(:', {}, 502, 'InitError'],
  ['py-no-function', 'x = 1', {}, 422, 'HandlerNotFound'],
  ['py-spins', 'def handler(event, context):\n    while True: pass', { timeoutMs: 300 }, 504, 'Timeout'],
  ['py-init-spins', 'while True: pass', { initTimeoutMs: 300 }, 504, 'InitTimeout'],
];
for (const [what, code, config, status, error] of failures) {
  test(`${what}: ${status} ${error}`, async () => {
    await publish(what, code, { handler: 'index.handler', ...config });
    const answer = await e2e.call(`/${what}/`);
    assert.deepEqual([answer.status, answer.json['code']], [status, error], answer.text);
    assert.ok(!answer.text.includes('secret detail'));
  });
}

test('one that takes too much memory: 502 OutOfMemory, and the next request is served', { skip: needsMemoryLimit }, async () => {
  const code = 'def handler(event, context):\n    return len(bytearray(1 << 30)) if event["rawPath"] == "/bomb" else "fine"';
  await publish('py-bomb', code, { handler: 'index.handler' });
  const answer = await e2e.call('/py-bomb/bomb');
  assert.deepEqual([answer.status, answer.json['code']], [502, 'OutOfMemory'], answer.text);
  assert.equal((await e2e.call('/py-bomb/')).text, '"fine"');
});

test('a missing handler is refused when it is deployed, with what there is', async () => {
  await assert.rejects(
    publish('py-missing', '', { handler: 'main.handler' }),
    /needs a file \\?"main\\?" with the extension \.py; the bundle has index\.py/,
  );
  await assert.rejects(e2e.publish('py-as-node', { 'index.py': '' }), /for Python set \\?"runtime\\?" to python3/);
});

test('output becomes records with the request’s id, and every invocation a report', async () => {
  const code =
    'import logging\nprint("at init")\ndef handler(event, context):\n    logging.warning("careful")\n    print("a")\n    return context.aws_request_id';
  await publish('py-talks', code, { handler: 'index.handler' });
  const id = (await e2e.call('/py-talks/')).headers.get('x-swiftlet-request-id');
  const records = await eventually(
    () => e2e.log('py-talks'),
    (all) => all.some(({ level }) => level === 'report'),
  );
  assert.deepEqual(
    records.filter(({ level }) => level !== 'report').map(({ level, message, requestId }) => [level, message, requestId]),
    [
      ['info', 'at init', undefined],
      ['warn', 'careful', id],
      ['info', 'a', id],
    ],
  );
  const report = records.find(({ level }) => level === 'report')?.['report'] as Record<string, unknown>;
  assert.deepEqual([report['outcome'], report['start']], ['ok', 'cold']);
});

test('frozen when idle, thawed for the next request, where it was', async () => {
  const code = 'count = 0\ndef handler(event, context):\n    global count\n    count += 1\n    return count';
  await publish('py-freezes', code, { handler: 'index.handler', freezeMs: 50 });
  assert.equal((await e2e.call('/py-freezes/')).text, '1');
  await eventually(
    () => e2e.platform.api.instances('py-freezes'),
    ([instance]) => instance?.state === 'frozen',
  );
  const thawed = await e2e.call('/py-freezes/');
  assert.deepEqual([thawed.text, thawed.headers.get('x-swiftlet-start')], ['2', 'thawed']);
});

test('one-shot: each request gets a fresh sandbox, of its own address layout and random state', async () => {
  const code = 'import random\nn = 0\ndef handler(event, context):\n    global n\n    n += 1\n    return [n, hash("a"), random.random()]';
  await publish('py-once', code, { handler: 'index.handler', process: 'one-shot' });
  const answers = await Promise.all([1, 2, 3].map(async () => JSON.parse((await e2e.call('/py-once/')).text) as [number, number, number]));
  assert.deepEqual(
    answers.map(([count]) => count),
    [1, 1, 1],
  );
  for (const at of [1, 2]) assert.equal(new Set(answers.map((answer) => answer[at])).size, 3);
});

test('what programs in Python do is let through by the filter of system calls', async () => {
  const code = `import asyncio, ctypes, multiprocessing, os, socket, sqlite3, ssl, subprocess, tempfile, threading
def square(n): return n * n
async def said():
    child = await asyncio.create_subprocess_exec("/bin/echo", "child", stdout=asyncio.subprocess.PIPE)
    return (await child.communicate())[0].decode().strip()
def handler(event, context):
    with tempfile.NamedTemporaryFile() as file:
        database = sqlite3.connect(file.name)
        rows = database.execute("select 6 * 7").fetchall()
        database.close()
    threads = [threading.Thread(target=int) for _ in range(20)]
    for thread in threads: thread.start()
    with multiprocessing.Pool(2) as pool:
        squares = pool.map(square, range(4))
    return {
        "rows": rows, "squares": squares, "said": asyncio.run(said()),
        "ran": subprocess.run(["/bin/echo", "ran"], capture_output=True, text=True).stdout.strip(),
        "name": socket.getaddrinfo("localhost", 80)[0][4][0] in ("127.0.0.1", "::1"),
        "tls": ssl.create_default_context().verify_mode == ssl.CERT_REQUIRED,
        "user": os.getuid(), "written": os.access("/var/task", os.W_OK),
    }`;
  await publish('py-programs', code, { handler: 'index.handler', memoryMiB: 256 });
  const { json, text } = await e2e.call('/py-programs/');
  const wanted = { rows: [[42]], squares: [0, 1, 4, 9], said: 'child', ran: 'ran', name: true, tls: true, user: 1000, written: false };
  assert.deepEqual(json, wanted, text);
});

test('one instance takes several requests at once: threads, or one loop', async () => {
  // Each waits until ten are inside.
  const sync = 'import threading\nten = threading.Barrier(10, timeout=10)\ndef handler(event, context):\n    ten.wait()\n    return 1';
  const asynchronous =
    'import asyncio\nten = asyncio.Barrier(10)\nasync def handler(event, context):\n    await asyncio.wait_for(ten.wait(), 10)\n    return 1';
  await publish('py-threads', sync, { handler: 'index.handler', concurrency: 10, maximum: 1 });
  await publish('py-loop', asynchronous, { handler: 'index.handler', concurrency: 10, maximum: 1 });
  for (const name of ['py-threads', 'py-loop']) {
    const answers = await Promise.all(Array.from({ length: 10 }, () => e2e.call(`/${name}/`)));
    assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
  }
});

test('a function in Python calls one in Node.js, and one in Node.js calls it', async () => {
  const headers = { authorization: `Bearer ${e2e.platform.token}` };
  await e2e.publish('js-doubles', 'export const handler = ({ n }) => ({ doubled: 2 * n });');
  await publish('py-calls', 'def handler(event, context):\n    return context.invoke("js-doubles", {"n": event["n"]})["doubled"] + 1', {
    handler: 'index.handler',
    calls: ['js-doubles'],
  });
  await e2e.publish('js-calls', 'export const handler = (event, context) => context.invoke("py-calls", event);', { calls: ['py-calls'] });
  const answer = await e2e.call('/_/invoke/js-calls', { method: 'POST', body: '{"n":20}', headers });
  assert.equal(answer.text, '41');
});

test('a folder with a main.py and no manifest is a function in Python; Flask from requirements.txt', async () => {
  const code = `import time
from flask import Flask, Response, request
app = Flask(__name__)
@app.get("/hello/<name>")
def hello(name):
    return {"hello": name, "agent": request.headers["x-agent"], "url": request.url}
@app.post("/echo")
def echo():
    return Response(request.get_data(), 201, mimetype="application/octet-stream")
@app.get("/lines")
def lines():
    return Response((f"{n}\\n" for n in range(3)), mimetype="text/plain")
`;
  await deployFromRegistry('py-flask', { 'main.py': code, 'requirements.txt': '# pinned\nflask==3.1.3\n' });
  const hello = await e2e.call('/py-flask/hello/Ada', { headers: { 'x-agent': 'me' } });
  assert.deepEqual([hello.json['hello'], hello.json['agent']], ['Ada', 'me'], hello.text);
  const bytes = Buffer.alloc(300_000, 'ü');
  const echo = await fetch(`${e2e.platform.gatewayUrl}/py-flask/echo`, { method: 'POST', body: bytes });
  assert.equal(echo.status, 201);
  assert.ok(Buffer.from(await echo.arrayBuffer()).equals(bytes));
  assert.equal((await e2e.call('/py-flask/lines')).text, '0\n1\n2\n');
  assert.equal((await e2e.call('/py-flask/nowhere')).status, 404);
});

test('FastAPI from pyproject.toml', async () => {
  const code = `from contextlib import asynccontextmanager
from fastapi import BackgroundTasks, FastAPI
from fastapi.responses import StreamingResponse
from pydantic import BaseModel
@asynccontextmanager
async def lifespan(app):
    app.state.started = True
    yield
app = FastAPI(lifespan=lifespan)
class Order(BaseModel):
    count: int
@app.post("/orders")
async def order(order: Order, background: BackgroundTasks):
    background.add_task(print, "counted later")
    return {"count": order.count, "started": app.state.started}
@app.get("/lines")
async def lines():
    async def each():
        for n in range(3):
            yield f"{n}\\n"
    return StreamingResponse(each())
`;
  const project = '[project]\nname = "orders"\nversion = "1"\ndependencies = ["fastapi==0.165.0"]\n';
  await deployFromRegistry('py-fastapi', { 'app.py': code, 'pyproject.toml': project });
  const post = (body: string) => e2e.call('/py-fastapi/orders', { method: 'POST', body, headers: { 'content-type': 'application/json' } });
  const made = await post('{"count": 3}');
  assert.deepEqual(made.json, { count: 3, started: true }, made.text);
  assert.equal((await post('{"count": "x"}')).status, 422);
  assert.equal((await e2e.call('/py-fastapi/lines')).text, '0\n1\n2\n');
  await eventually(
    () => e2e.log('py-fastapi'),
    (records) => records.some(({ message }) => message === 'counted later'),
  );
});

test('a package that there is not is refused with its line', async () => {
  const { status, stderr } = await deploy('py-unknown', {
    'main.py': '',
    'wheels/readme.txt': 'none',
    'requirements.txt': '# nothing from anywhere else\nno-such-package==1\n',
  });
  assert.notEqual(status, 0);
  assert.match(stderr, /requirements\.txt:2 could not be installed: .*No matching distribution found for no-such-package/);
});

test('swiftlet init makes a function in Python that can be deployed', async () => {
  await using folder = await folderOf({}, 'py-made');
  const env = { ...process.env, SWIFTLET_HOME: e2e.platform.home, SWIFTLET_API_URL: e2e.platform.apiUrl, NO_COLOR: '1' };
  const cli = (...args: string[]) =>
    spawnSync(process.execPath, [join(packageFolder, 'src', 'cli', 'main.ts'), ...args], { env, encoding: 'utf8' });
  const made = cli('init', folder.path, '--template', 'python');
  assert.equal(made.status, 0, made.stderr);
  const deployed = cli('deploy', folder.path);
  assert.equal(deployed.status, 0, deployed.stderr);
  assert.equal((await e2e.call('/py-made/?name=Ada')).json['message'], 'Hello, Ada!');
});
