import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../e2e/functions.ts';
import { assertProblem, startUnderTest } from './control-under-test.ts';
import { instanceOf } from './fake-roles.ts';

describe('functions of the API', () => {
  it('are deployed, described, listed and removed', async (t) => {
    const control = await startUnderTest(t);
    control.roles.subscribe();
    const digest = await control.bundle();
    const deployed = await control.put('/v1/functions/hello', { digest, config: { environment: { KEY: 'value' } } });
    assert.equal(deployed.status, 201, deployed.text);
    assert.equal(deployed.json['created'], true);
    assert.equal(deployed.json['placed'], true);
    assert.equal(deployed.headers.get('etag'), '"1"');
    assert.equal(control.roles.state?.functions.get('default/hello')?.config.environment['KEY'], 'value');

    const again = await control.put('/v1/functions/hello', { digest, config: { environment: { KEY: 'value' } } });
    assert.deepEqual([again.status, again.json['created'], again.headers.get('etag')], [200, false, '"1"']);
    const next = await control.put('/v1/functions/hello', { digest, config: { memoryMiB: 256 } });
    assert.deepEqual([next.status, next.json['created'], next.headers.get('etag')], [200, true, '"2"']);

    control.roles.instances = [instanceOf('hello'), instanceOf('other')];
    const described = await control.call('/v1/functions/hello');
    assert.equal(described.status, 200);
    assert.equal(described.json['url'], 'http://127.0.0.1:8080/hello');
    assert.deepEqual(described.json['instances'], [instanceOf('hello')]);
    assert.equal(described.json['instancesKnown'], true);
    const versions = (await control.call('/v1/functions/hello/versions')).json as { serving: number; versions: { number: number }[] };
    assert.equal(versions.serving, 2);
    assert.deepEqual(
      versions.versions.map((version) => version.number),
      [2, 1],
    );

    const removed = await control.call('/v1/functions/hello', { method: 'DELETE' });
    assert.deepEqual([removed.status, removed.text], [204, '']);
    assertProblem(await control.call('/v1/functions/hello'), 404, 'FunctionNotFound', /"hello"/);
    assertProblem(await control.call('/v1/functions/hello', { method: 'DELETE' }), 404, 'FunctionNotFound');
    assertProblem(await control.call('/v1/functions/hello/versions'), 404, 'FunctionNotFound');
    assertProblem(await control.call('/v1/functions/hello/logs'), 404, 'FunctionNotFound');
    await eventually(
      () => control.roles.state?.functions.size,
      (size) => size === 0,
    );
    await eventually(
      () => control.roles.forgotten,
      ([name]) => name === 'hello',
    );
  });

  it('show the values of variables only to those who ask for them', async (t) => {
    const control = await startUnderTest(t);
    await control.put('/v1/functions/hello', { digest: await control.bundle(), config: { environment: { KEY: 'a value' } } });
    for (const path of ['/v1/functions', '/v1/functions/hello', '/v1/functions/hello/versions']) {
      const { text } = await control.call(path);
      assert.match(text, /"KEY":"\*\*\*"/);
      assert.doesNotMatch(text, /a value/);
    }
    assert.match((await control.call('/v1/functions/hello?reveal=true')).text, /"KEY":"a value"/);
  });

  it('tell how their provisioned instances are, and why some are missing', async (t) => {
    const control = await startUnderTest(t);
    await control.put('/v1/functions/hello', { digest: await control.bundle(), config: { minimum: 2 } });
    const failed = { code: 'InitError', detail: 'it threw' } as const;
    const status = { tenant: 'default', function: 'hello', version: 1, requested: 2, ready: 1, failed };
    control.roles.provisioned = [{ ...status, function: 'other' }, status];
    const { json } = await control.call('/v1/functions/hello');
    assert.deepEqual(json['provisioned'], { version: 1, requested: 2, ready: 1, failed });
  });

  it('are described while the agent is away', async (t) => {
    const control = await startUnderTest(t);
    await control.put('/v1/functions/hello', { digest: await control.bundle(), config: {} });
    await control.roles.stop('agent');
    const { status, json } = await control.call('/v1/functions/hello');
    assert.deepEqual([status, json['instances'], json['instancesKnown']], [200, [], false]);
  });

  it('are listed a page at a time', async (t) => {
    const control = await startUnderTest(t);
    const digest = await control.bundle();
    for (const name of ['c', 'a', 'b']) await control.put(`/v1/functions/${name}`, { digest });
    const page = async (query: string) =>
      (await control.call(`/v1/functions${query}`)).json as { functions: { name: string }[]; next?: string };
    const first = await page('?limit=2');
    assert.deepEqual([first.functions.map(({ name }) => name), first.next], [['a', 'b'], 'b']);
    const second = await page('?limit=2&after=b');
    assert.deepEqual([second.functions.map(({ name }) => name), second.next], [['c'], undefined]);
    assertProblem(await control.call('/v1/functions?limit=0'), 400, 'BadRequest', /limit/);
  });

  it('keep the last versions only', async (t) => {
    const control = await startUnderTest(t);
    const digest = await control.bundle();
    for (let i = 0; i < 13; i += 1) await control.put('/v1/functions/hello', { digest, config: { timeoutMs: 1_000 + i } });
    const numbers = async () => {
      const { versions } = (await control.call('/v1/functions/hello/versions')).json as { versions: { number: number }[] };
      return versions.map(({ number }) => number);
    };
    assert.deepEqual(await eventually(numbers, ({ length }) => length <= 10), [13, 12, 11, 10, 9, 8, 7, 6, 5, 4]);
  });

  it('change on condition: of 100 stale updates at once, one wins', async (t) => {
    const control = await startUnderTest(t);
    const digest = await control.bundle();
    const deploy = (timeoutMs: number, headers: Record<string, string>) =>
      control.put('/v1/functions/hello', { digest, config: { timeoutMs } }, headers);
    assertProblem(await deploy(1_000, { 'if-match': '"1"' }), 412, 'PreconditionFailed', /there is no such function/);
    assert.equal((await deploy(1_000, { 'if-none-match': '*' })).status, 201);
    assertProblem(await deploy(2_000, { 'if-none-match': '*' }), 412, 'PreconditionFailed', /version 1 serves/);
    const answers = await Promise.all(Array.from({ length: 100 }, (_, i) => deploy(2_000 + i, { 'if-match': '"1"' })));
    assert.equal(answers.filter(({ status }) => status === 200).length, 1);
    assert.equal(answers.filter(({ status, json }) => status === 412 && json['code'] === 'PreconditionFailed').length, 99);
    assertProblem(await deploy(1, { 'if-match': 'x' }), 400, 'ManifestInvalid');
    assertProblem(await deploy(1_000, { 'if-match': 'x' }), 400, 'BadRequest', /if-match/);
  });

  it('say when the other roles do not act on a version in time', async (t) => {
    const control = await startUnderTest(t);
    const digest = await control.bundle();
    assert.equal((await control.put('/v1/functions/nobody', { digest })).json['placed'], false);
    let release: (() => void) | undefined;
    control.roles.place = () =>
      new Promise((resolve) => {
        release = resolve;
      });
    control.roles.subscribe();
    await eventually(
      () => release !== undefined,
      (isPlacing) => isPlacing,
    );
    release?.();
    const deploying = control.put('/v1/functions/hello', { digest });
    assert.equal(await Promise.race([deploying, sleep(300, 'waits')]), 'waits');
    release?.();
    assert.equal((await deploying).json['placed'], true);
  });

  const badConfigs: readonly (readonly [what: string, config: unknown, status: number, code: string, detail: RegExp, place: string])[] = [
    [
      'an unknown runtime',
      { runtime: 'node24' },
      400,
      'RuntimeUnknown',
      /unknown runtime "node24"; did you mean "nodejs24"\?/,
      'config.runtime',
    ],
    ['a runtime that is no name', { runtime: 7 }, 400, 'RuntimeUnknown', /one of nodejs22/, 'config.runtime'],
    ['too little memory', { memoryMiB: 1 }, 400, 'ManifestInvalid', /config\.memoryMiB: .*64/, 'config.memoryMiB'],
    ['an unknown key', { memory: 128 }, 400, 'ManifestInvalid', /"memory"/, 'config'],
    ['a variable of the platform', { environment: { SWIFTLET_X: '1' } }, 400, 'ManifestInvalid', /SWIFTLET_/, 'config.environment'],
    [
      'a one-shot instance for several requests at once',
      { process: 'one-shot', concurrency: 8 },
      400,
      'ManifestInvalid',
      /a single request, not 8 at once/,
      'config.concurrency',
    ],
    [
      'a minimum above the maximum',
      { minimum: 5, maximum: 2 },
      400,
      'ManifestInvalid',
      /5 instances at least are more than 2 at most/,
      'config.minimum',
    ],
    ['a handler that leads out', { handler: '../x.handler' }, 400, 'ManifestInvalid', /handler/, 'config.handler'],
    [
      'a handler that is not there',
      { handler: 'indx.handler' },
      422,
      'HandlerNotFound',
      /needs a file "indx".*index\.js/,
      'config.handler',
    ],
    ['no object', 'fast', 400, 'ManifestInvalid', /config/, 'config'],
  ];
  for (const [what, config, status, code, detail, place] of badConfigs) {
    it(`are refused with ${what}`, async (t) => {
      const control = await startUnderTest(t);
      const digest = await control.bundle();
      assertProblem(await control.put('/v1/functions/hello', { digest, config }), status, code, detail, place);
      assert.equal((await control.call('/v1/functions/hello')).status, 404);
    });
  }

  it('are refused without their artifact', async (t) => {
    const control = await startUnderTest(t);
    assertProblem(await control.put('/v1/functions/hello', { digest: 'a'.repeat(64) }), 404, 'NotFound', /upload it with PUT/, 'digest');
    assertProblem(await control.put('/v1/functions/hello', { digest: 'A' }), 400, 'BadRequest', /64 hexadecimal digits/, 'digest');
  });

  it('are not named by what is no name', async (t) => {
    const control = await startUnderTest(t);
    for (const name of [
      '..%2Fx',
      '__proto__',
      'a'.repeat(1_000),
      'hel.lo',
      'a__b',
      'toString',
      'а',
      '%00',
      'a--b',
      '-a',
      '_',
      encodeURIComponent('ﬀ'),
    ]) {
      for (const method of ['GET', 'PUT', 'DELETE']) {
        const body = method === 'PUT' ? { body: JSON.stringify({ digest: 'a'.repeat(64) }) } : {};
        assertProblem(
          await control.call(`/v1/functions/${name}`, { method, ...body }),
          400,
          'NameInvalid',
          /letters, digits|cannot be given/,
          'name',
        );
      }
    }
    assert.equal(({} as Record<string, unknown>)['digest'], undefined);
  });

  it('are refused as a body that is no JSON, too large, or of another type', async (t) => {
    const control = await startUnderTest(t);
    const put = (body: string, type?: string) =>
      control.call('/v1/functions/hello', { method: 'PUT', body, ...(type === undefined ? {} : { type }) });
    assertProblem(await put('{"digest": '), 400, 'BadRequest');
    assertProblem(await put(''), 400, 'BadRequest');
    assertProblem(await put('{"__proto__": {"digest": 1}}'), 400, 'BadRequest');
    assertProblem(await put('x'.repeat(2 * 1024 * 1024)), 413, 'RequestTooLarge');
    assertProblem(await put('digest: 1', 'text/yaml'), 400, 'BadRequest', /application\/json/);
    assertProblem(await control.call('/v1/nothing'), 404, 'NotFound');
    const wrongMethod = await control.call('/v1/functions/hello', { method: 'POST', body: '{}' });
    assertProblem(wrongMethod, 405, 'MethodNotAllowed', /DELETE, GET, PUT/);
    assert.equal(wrongMethod.headers.get('allow'), 'DELETE, GET, PUT');
  });
});
