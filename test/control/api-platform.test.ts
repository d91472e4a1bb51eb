import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import { text } from 'node:stream/consumers';
import { Validator } from '@seriousme/openapi-schema-validator';
import { eventually } from '../e2e/functions.ts';
import { assertProblem, startUnderTest, token } from './control-under-test.ts';

describe('the door of the API', () => {
  it('opens to those with the token only', async (t) => {
    const control = await startUnderTest(t);
    for (const path of ['/v1/functions', '/v1/functions/hello', '/v1/platform', '/metrics']) {
      const none = await control.call(path, { token: null });
      assertProblem(none, 401, 'Unauthorized', /carries no token/);
      assert.match(none.headers.get('www-authenticate') ?? '', /^Bearer/);
      assertProblem(await control.call(path, { token: 'wrong' }), 401, 'Unauthorized');
    }
    for (const method of ['PUT', 'DELETE', 'HEAD']) {
      assert.equal(
        (await control.call(`/v1/artifacts/${'a'.repeat(64)}`, { method: method === 'DELETE' ? 'HEAD' : method, token: null })).status,
        401,
      );
    }
    for (const path of ['/healthz', '/openapi.json', '/docs']) assert.notEqual((await control.call(path, { token: null })).status, 401);
    const unsigned = 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9.';
    assertProblem(await control.call('/v1/functions', { token: unsigned }), 401, 'Unauthorized');
  });

  it('does not stay open for guessers, and does not close for others', async (t) => {
    const control = await startUnderTest(t);
    const statuses: number[] = [];
    const beganAt = performance.now();
    for (let i = 0; i < 1_000; i += 1) {
      statuses.push((await control.call('/v1/functions', { token: `guess-${i}` })).status);
      if (i % 100 === 99) assert.equal((await control.call('/v1/functions')).status, 200, 'others are not disturbed');
    }
    assert.ok(statuses.slice(0, 30).every((status) => status === 401));
    const later = statuses.slice(30);
    const more = Math.ceil((performance.now() - beganAt) / 2_000);
    assert.ok(later.filter((status) => status === 401).length <= more, 'one more is looked at every two seconds');
    assert.ok(later.every((status) => status === 401 || status === 429));
    const again = () => control.call('/v1/functions', { token: 'again' });
    const limited = await eventually(again, ({ status }) => status === 429);
    assertProblem(limited, 429, 'TooManyRequests');
    assert.ok(Number(limited.headers.get('retry-after')) >= 1);
    assert.equal((await control.call('/v1/functions')).status, 200);
  });

  it('takes no harm from a token of 1 MiB, or from what is no HTTP', async (t) => {
    const control = await startUnderTest(t);
    const send = async (bytes: string) => {
      const socket = connect(Number(new URL(control.url).port), '127.0.0.1');
      socket.on('error', () => undefined);
      socket.write(bytes);
      return text(socket).catch(() => '');
    };
    assert.match(
      await send(`GET /v1/functions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${'x'.repeat(1024 * 1024)}\r\n\r\n`),
      /^(HTTP\/1\.1 431 .*"code":"HeadersTooLarge"|$)/s,
    );
    assert.match(await send('hello?\r\n\r\n'), /^HTTP\/1\.1 400 .*"code":"BadRequest"/s);
    assertProblem(await control.call('/v1/functions', { token: 'x'.repeat(8_000) }), 401, 'Unauthorized');
    assert.equal((await control.call('/v1/functions')).status, 200);
  });

  it('takes no token from an address, and lets no other site read', async (t) => {
    const control = await startUnderTest(t);
    for (const query of [`?token=${token}`, `?access_token=${token}`, `?authorization=Bearer%20${token}`])
      assert.equal((await control.call(`/v1/functions${query}`, { token: null })).status, 401, query);
    const { status, headers } = await control.call('/v1/functions', { headers: { origin: 'https://evil.example' } });
    assert.deepEqual([status, headers.get('access-control-allow-origin'), headers.get('cache-control')], [200, null, 'no-store']);
    const preflight = await control.call('/v1/functions', { method: 'OPTIONS', token: null, headers: { origin: 'https://evil.example' } });
    assert.deepEqual([preflight.status, preflight.headers.get('access-control-allow-origin')], [405, null]);
  });

  it('refuses what is too large or too deep before it is parsed', async (t) => {
    const control = await startUnderTest(t);
    const put = (body: string) => control.call('/v1/functions/hello', { method: 'PUT', body });
    assertProblem(await put(`{"a":"${'x'.repeat(1024 * 1024)}"}`), 413, 'RequestTooLarge');
    assertProblem(await put('{"a":'.repeat(100_000)), 400, 'BadRequest', /nested more than 32 times/);
    assertProblem(await put(`${'['.repeat(33)}${']'.repeat(33)}`), 400, 'BadRequest', /nested/);
    assertProblem(await put(`{"digest":"${'\\"[{'.repeat(50)}"}`), 400, 'BadRequest', /digest/);
    assertProblem(await put('{"__proto__":{"x":1}}'), 400, 'BadRequest');
  });
});

describe('the platform in the API', () => {
  it('is healthy once all roles are', async (t) => {
    const control = await startUnderTest(t);
    control.roles.ready = false;
    const starting = await control.call('/healthz', { token: null });
    assert.equal(starting.status, 503);
    assert.deepEqual(starting.json['roles'], {
      control: { ready: true, detail: 'answers' },
      gateway: { ready: true, detail: 'serves' },
      agent: { ready: false, detail: 'has no sandbox yet' },
      relay: { ready: true, detail: 'serves' },
      events: { ready: true, detail: 'serves' },
    });
    control.roles.ready = true;
    const health = () => control.call('/healthz', { token: null });
    const healthy = await eventually(health, ({ status }) => status === 200);
    assert.equal(healthy.json['status'], 'ok');
    await control.roles.stop('gateway');
    const { json } = await eventually(health, ({ status }) => status === 503);
    assert.match(JSON.stringify(json), /"gateway":\{"ready":false,"detail":"the gateway is away"/);
  });

  it('tells what isolation is in force', async (t) => {
    const isolated = await startUnderTest(t);
    const { json } = await isolated.call('/v1/platform');
    assert.deepEqual(json['isolation'], { mode: 'bubblewrap', facts: [{ means: 'namespaces', inForce: true, detail: 'all' }] });
    assert.equal(json['apiUrl'], isolated.url);
    const open = await startUnderTest(t, undefined, {
      agent: {
        isolation: 'process',
        poolSize: 0,
        bootsAtOnce: 1,
        maxSandboxes: 1,
        network: { opened: [], nameServers: [], searchDomains: [] },
      },
    });
    assert.match((await open.call('/v1/platform')).text, /"mode":"process".*"inForce":false/);
    await open.roles.stop('agent');
    assertProblem(await open.call('/v1/platform'), 503, 'Unavailable');
  });

  it('has the metrics of all roles that are there', async (t) => {
    const control = await startUnderTest(t);
    const whole = await control.call('/metrics');
    assert.match(whole.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/);
    for (const line of [
      'swiftlet_gateway_things 1',
      'swiftlet_agent_things 1',
      'swiftlet_relay_things 1',
      'swiftlet_role_up{role="agent"} 1',
    ]) {
      assert.ok(whole.text.split('\n').includes(line), line);
    }
    await control.roles.stop('agent');
    const metrics = async () => (await control.call('/metrics')).text.split('\n');
    const rest = await eventually(metrics, (lines) => lines.includes('swiftlet_role_up{role="agent"} 0'));
    assert.ok(rest.includes('swiftlet_gateway_things 1'));
    assert.ok(!rest.includes('swiftlet_agent_things 1'));
  });

  it('has the metrics of one role alone', async (t) => {
    const control = await startUnderTest(t);
    assert.deepEqual((await control.call('/metrics?role=agent')).text.trim().split('\n'), [
      '# TYPE swiftlet_agent_things gauge',
      'swiftlet_agent_things 1',
    ]);
    assert.match((await control.call('/metrics?role=control')).text, /^swiftlet_api_requests_total/m);
    assertProblem(await control.call('/metrics?role=pool'), 400, 'BadRequest');
    await control.roles.stop('agent');
    assertProblem(await control.call('/metrics?role=agent'), 503, 'Unavailable');
  });

  it('is described by a valid document of OpenAPI 3.1', async (t) => {
    const control = await startUnderTest(t);
    const { json } = await control.call('/openapi.json', { token: null });
    const validator = new Validator();
    const { valid, errors } = await validator.validate(json);
    assert.ok(valid, JSON.stringify(errors));
    assert.equal(validator.version, '3.1');
    const methods = Object.entries(json['paths'] as Record<string, object>).flatMap(([path, item]) =>
      Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
    );
    assert.deepEqual(methods.sort(), [
      'DELETE /v1/functions/{name}',
      'DELETE /v1/functions/{name}/aliases/{alias}',
      'DELETE /v1/layers/{layer}/versions/{version}',
      'DELETE /v1/networks/{network}',
      'DELETE /v1/pools/{pool}',
      'DELETE /v1/secrets/{secret}',
      'DELETE /v1/tenants/{tenant}',
      'DELETE /v1/tokens/{id}',
      'GET /healthz',
      'GET /metrics',
      'GET /v1/audit',
      'GET /v1/audit/verification',
      'GET /v1/dead-letters',
      'GET /v1/dead-letters/{id}',
      'GET /v1/events/{id}',
      'GET /v1/functions',
      'GET /v1/functions/{name}',
      'GET /v1/functions/{name}/aliases',
      'GET /v1/functions/{name}/calls',
      'GET /v1/functions/{name}/logs',
      'GET /v1/functions/{name}/rollout',
      'GET /v1/functions/{name}/sources',
      'GET /v1/functions/{name}/sources/{source}',
      'GET /v1/functions/{name}/starts',
      'GET /v1/functions/{name}/timers',
      'GET /v1/functions/{name}/traces',
      'GET /v1/functions/{name}/versions',
      'GET /v1/layers',
      'GET /v1/layers/{layer}/versions/{version}',
      'GET /v1/metrics',
      'GET /v1/networks',
      'GET /v1/networks/{network}',
      'GET /v1/platform',
      'GET /v1/pools',
      'GET /v1/pools/{pool}',
      'GET /v1/routes',
      'GET /v1/secrets',
      'GET /v1/secrets/{secret}',
      'GET /v1/security',
      'GET /v1/sources',
      'GET /v1/tenants',
      'GET /v1/tenants/{tenant}',
      'GET /v1/tokens',
      'GET /v1/traces/{requestId}',
      'GET /v1/usage',
      'HEAD /v1/artifacts/{digest}',
      'POST /v1/builds',
      'POST /v1/dead-letters/purge',
      'POST /v1/dead-letters/redrive',
      'POST /v1/functions/{name}/rollback',
      'POST /v1/functions/{name}/rollout',
      'POST /v1/functions/{name}/rollout/abort',
      'POST /v1/functions/{name}/sources/{source}/pause',
      'POST /v1/functions/{name}/sources/{source}/resume',
      'POST /v1/hosts/{name}/certificate',
      'POST /v1/layers/{layer}/versions',
      'POST /v1/root-key/rotate',
      'POST /v1/secrets/{secret}/rotate',
      'POST /v1/tokens',
      'POST /v1/tokens/{id}/rotate',
      'PUT /v1/artifacts/{digest}',
      'PUT /v1/functions/{name}',
      'PUT /v1/functions/{name}/aliases/{alias}',
      'PUT /v1/networks/{network}',
      'PUT /v1/pools/{pool}',
      'PUT /v1/secrets/{secret}',
      'PUT /v1/tenants/{tenant}',
    ]);
    assert.match((await control.call('/docs', { token: null })).text, /swagger/i);
  });
});

describe('logs of the API', () => {
  const withFunction = async (t: Parameters<typeof startUnderTest>[0]) => {
    const control = await startUnderTest(t);
    await control.put('/v1/functions/hello', { digest: await control.bundle() });
    return control;
  };
  const record = (message: string) => JSON.stringify({ time: '2026-01-02T03:04:05.000Z', level: 'info', message });

  it('are read, one record a line', async (t) => {
    const control = await withFunction(t);
    control.roles.lines.push(record('one'), record('two'), record('three'));
    const { headers, text: body } = await control.call('/v1/functions/hello/logs?last=2');
    assert.equal(headers.get('content-type'), 'application/x-ndjson');
    assert.equal(body, `${record('two')}\n${record('three')}\n`);
    assertProblem(await control.call('/v1/functions/hello/logs?last=-1'), 400, 'BadRequest');
    await control.roles.stop('relay');
  });

  it('are followed within 200 ms, until the client goes', async (t) => {
    const control = await withFunction(t);
    control.roles.log(record('before'));
    const hangUp = new AbortController();
    const response = await fetch(`${control.url}/v1/functions/hello/logs?follow=true&last=10`, {
      headers: { authorization: `Bearer ${token}` },
      signal: hangUp.signal,
    });
    assert.equal(response.status, 200);
    const reader = (response.body ?? assert.fail()).pipeThrough(new TextDecoderStream()).getReader();
    assert.equal((await reader.read()).value, `${record('before')}\n`);
    const started = performance.now();
    control.roles.log(record('now'));
    assert.equal((await reader.read()).value, `${record('now')}\n`);
    assert.ok(performance.now() - started < 200);
    assert.ok(control.roles.followers > 0);
    hangUp.abort();
    await assert.rejects(reader.read());
    await eventually(
      () => control.roles.followers,
      (followers) => followers === 0,
    );
  });

  it('are followed from nothing at once, and end with the function or with control', async (t) => {
    const control = await withFunction(t);
    const follow = () =>
      fetch(`${control.url}/v1/functions/hello/logs?follow=true&last=0`, { headers: { authorization: `Bearer ${token}` } });
    const first = await follow();
    await control.call('/v1/functions/hello', { method: 'DELETE' });
    assert.equal(await first.text(), '');
    await control.put('/v1/functions/hello', { digest: await control.bundle() });
    const second = await follow();
    const ended = second.text();
    await control.stop(1_000);
    assert.equal(await ended, '');
  });

  it('say when the relay is away', { timeout: 10_000 }, async (t) => {
    const control = await withFunction(t);
    await control.roles.stop('relay');
    assertProblem(await control.call('/v1/functions/hello/logs?follow=true'), 503, 'Unavailable');
  });
});

describe('control that stops', () => {
  it('lets requests in flight finish within the grace, and no longer', async (t) => {
    const control = await startUnderTest(t);
    const socket = connect(Number(new URL(control.url).port), '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(
      `PUT /v1/artifacts/${'a'.repeat(64)} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\ncontent-type: application/vnd.swiftlet.bundle\r\ncontent-length: 100\r\nexpect: 100-continue\r\n\r\nx`,
    );
    await once(socket, 'data');
    const started = performance.now();
    const closed = once(socket, 'close');
    await control.stop(300);
    const took = performance.now() - started;
    assert.ok(took > 250 && took < 10_000, `${took} ms`);
    await closed;
    await control.stop(0);
  });
});
