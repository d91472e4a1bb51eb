/** Servers as their frameworks' own pages write them, in real sandboxes: Express, Fastify and Flask. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { type E2e, eventually, openE2e } from './functions.ts';
import { needsRoot } from './needs.ts';

let e2e: E2e;
before(async () => {
  e2e = await openE2e({ poolSize: 2 });
});
after(() => e2e[Symbol.asyncDispose]());

/** The framework is in the file, so that nothing has to be installed. */
async function bundled(contents: string): Promise<string> {
  const resolveDir = fileURLToPath(new URL('.', import.meta.url));
  const { outputFiles } = await build({
    stdin: { contents, resolveDir },
    bundle: true,
    platform: 'node',
    format: 'cjs',
    write: false,
    logLevel: 'silent',
  });
  return outputFiles[0]?.text ?? '';
}

const express = `
import express from 'express';
const app = express();
let served = 0;
let atOnce = 0;
app.use(express.json());
app.get('/hello/:name', (req, res) => res.status(201).json({ name: req.params.name, q: req.query.q, ip: req.ip, served: ++served }));
app.post('/sum', (req, res) => res.json({ sum: req.body.a + req.body.b }));
app.get('/stream', async (req, res) => {
  for (const word of ['one ', 'two ', 'three']) { res.write(word); await new Promise((go) => setImmediate(go)); }
  res.end();
});
app.get('/together', async (req, res) => {
  atOnce += 1;
  while (atOnce < 3) await new Promise((go) => setTimeout(go, 5));
  res.send('all');
});
app.get('/throws', () => { throw new Error('a route threw'); });
app.listen(process.env.PORT);`;

const fastify = `
import Fastify from 'fastify';
const app = Fastify();
const schema = { body: { type: 'object', required: ['a', 'b'], properties: { a: { type: 'number' }, b: { type: 'number' } } } };
app.get('/hello/:name', (request) => ({ name: request.params.name, q: request.query.q, ip: request.ip, served: 1 }));
app.post('/sum', { schema }, (request) => ({ sum: request.body.a + request.body.b }));
app.get('/stream', (request, reply) => reply.type('text/plain').send(ReadableStream.from(['one ', 'two ', 'three']).pipeThrough(new TextEncoderStream())));
let atOnce = 0;
app.get('/together', async () => {
  atOnce += 1;
  while (atOnce < 3) await new Promise((go) => setTimeout(go, 5));
  return 'all';
});
app.get('/throws', () => { throw new Error('a route threw'); });
app.listen({ port: Number(process.env.PORT), host: '0.0.0.0' });`;

const flask = `
import threading
from flask import Flask, jsonify, request
app = Flask(__name__)
together = threading.Barrier(3)

@app.get("/hello/<name>")
def hello(name): return jsonify(name=name, q=request.args.get("q"), ip=request.remote_addr, served=1)

@app.post("/sum")
def total():
    asked = request.get_json()
    return jsonify(sum=asked["a"] + asked["b"])

@app.get("/stream")
def stream(): return app.response_class(iter(["one ", "two ", "three"]), mimetype="text/plain")

@app.get("/together")
def wait():
    together.wait(20)
    return "all"

@app.get("/throws")
def throws(): raise RuntimeError("a route threw")
`;

const isCi = process.env['CI'] === 'true';
const missing = existsSync('/usr/bin/flask') || isCi ? false : 'Flask is missing; run "apt-get install python3-flask"';
const servers = [
  { name: 'express', skip: false, handler: 'node server.cjs', files: async () => ({ 'server.cjs': await bundled(express) }) },
  { name: 'fastify', skip: false, handler: 'node server.cjs', files: async () => ({ 'server.cjs': await bundled(fastify) }) },
  {
    name: 'flask',
    skip: missing,
    handler: 'exec python3 -m flask --app app run --host 0.0.0.0 --port "$PORT"',
    files: () => Promise.resolve({ 'app.py': flask }),
  },
] as const;

for (const { name, skip, handler, files } of servers) {
  test(`${name}: routes, bodies, streams, its own errors, and several requests at once`, { skip }, async () => {
    await e2e.publish(name, await files(), { runtime: 'http', handler, concurrency: 5, maximum: 1, initTimeoutMs: 60_000, freezeMs: 300 });
    const hello = await e2e.call(`/${name}/hello/Ada?q=%C3%BC`);
    assert.deepEqual([hello.json['name'], hello.json['q'], hello.headers.get('x-swiftlet-start')], ['Ada', 'ü', 'cold'], hello.text);
    const headers = { 'content-type': 'application/json' };
    const sum = await e2e.call(`/${name}/sum`, { method: 'POST', headers, body: '{"a":1,"b":2}' });
    assert.deepEqual(sum.json, { sum: 3 });
    assert.equal((await e2e.call(`/${name}/stream`)).text, 'one two three');
    assert.deepEqual(await Promise.all([1, 2, 3].map(async () => (await e2e.call(`/${name}/together`)).text)), ['all', 'all', 'all']);
    assert.equal((await e2e.call(`/${name}/throws`)).status, 500);
    assert.equal((await e2e.call(`/${name}/none`)).status, 404);
    assert.equal((await e2e.call(`/${name}/hello/Ada`)).status, hello.status);
  });

  test(`${name}: frozen when it is idle, and answers again`, { skip: skip === false ? needsRoot : skip }, async () => {
    await eventually(
      () => e2e.platform.api.instances(name),
      (all) => all.length === 1 && all[0]?.state === 'frozen',
      20_000,
    );
    const again = await e2e.call(`/${name}/hello/Grace`);
    assert.deepEqual([again.json['name'], again.headers.get('x-swiftlet-start')], ['Grace', 'thawed']);
  });
}

test('scaled to zero: no instance is left once it was idle, and the next request starts one', async () => {
  const files = { 'server.cjs': await bundled(express) };
  await e2e.publish('to-zero', files, { runtime: 'http', handler: 'node server.cjs', idleMs: 500, initTimeoutMs: 60_000 });
  assert.equal((await e2e.call('/to-zero/hello/Ada')).json['served'], 1);
  await eventually(
    () => e2e.platform.api.instances('to-zero'),
    (all) => all.length === 0,
    20_000,
  );
  const again = await e2e.call('/to-zero/hello/Ada');
  assert.deepEqual([again.json['served'], again.headers.get('x-swiftlet-start')], [1, 'cold']);
});
