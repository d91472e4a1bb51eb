/** The life of the runtime for Python: booted, told once whose code it is to run, and what goes wrong on the way there. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { frame } from '../../../src/wire/instance-protocol.ts';
import { fixtures, initialised, PythonUnderTest } from './python-under-test.ts';

suite('Python', { concurrency: 2 }, () => {
  test('it tells its state and its version, and the times of its init', async () => {
    await using tested = new PythonUnderTest();
    const { protocol, state, runtime } = await tested.state();
    assert.deepEqual([protocol, state], [1, 'booted']);
    assert.match(runtime, /^Python 3\.\d+/);
    const report = await tested.init('answers.handler');
    assert.ok('initMs' in report && report.initMs > 0 && report.environmentMs > 0 && report.runtimeMs > 0, JSON.stringify(report));
    assert.equal((await tested.state()).state, 'initialised');
    const second = await tested.init('answers.later');
    assert.ok('code' in second && second.code === 'InitError' && /initialised/.test(second.message), JSON.stringify(second));
    assert.equal((await tested.link.call('/still')).status, 200);
  });

  test('what is sent ahead begins with the init, said before; its time counts from then', async () => {
    await using tested = new PythonUnderTest();
    const gateway = tested.connect();
    await tested.state();
    const sentAt = Date.now();
    const deadline = sentAt + 1_000;
    const stream = gateway.open('/ahead?a=1&a=2', { deadline, body: 'whole' });
    gateway.sendBody(stream, Buffer.from('whole'));
    const cancelled = gateway.open('/cancelled');
    gateway.send(frame.cancel, cancelled);
    assert.equal((await gateway.answer(cancelled)).status, undefined);
    const onItsWayMs = Date.now() - sentAt;
    await new Promise((resolve) => setTimeout(resolve, 200));
    const beforeInit = Date.now();
    await tested.init('answers.handler');
    await gateway.next(0, frame.begun);
    const { body, done } = await gateway.answer(stream);
    const spentMs = onItsWayMs + Date.now() - beforeInit;
    const { remainingMs, ...told } = JSON.parse(body.toString()) as { remainingMs: number };
    assert.deepEqual(told, { path: '/ahead', query: { a: '1,2' }, body: 'whole', id: 'request-1' });
    // One for what is lost to rounding.
    assert.ok(remainingMs >= 1_000 - spentMs - 1, `${remainingMs} ms are left of 1,000, ${spentMs} of them not held`);
    assert.ok((done?.residentKiB ?? 0) > 5_000);
  });

  test('a gateway that breaks the protocol loses its connection, nobody else does', async () => {
    await using tested = await initialised('answers.handler');
    const rude = tested.connect();
    const lost = assert.rejects(rude.next(1, frame.done), /closed/);
    rude.send(frame.invoke, 1, 'no JSON');
    await lost;
    assert.equal((await tested.link.call('/')).status, 200);
  });

  const failing: [handler: string, code: string, message: RegExp, type?: string][] = [
    ['init_raises.handler', 'InitError', /^not today$/, 'RuntimeError'],
    [
      'init_imports_missing.handler',
      'InitError',
      /No module named 'no_such_package'; a package of that name has to stand in requirements\.txt/,
    ],
    ['init_no_python.handler', 'InitError', /init_no_python\.py"?, line 1/, 'SyntaxError'],
    ['missing.handler', 'HandlerNotFound', /needs a file missing\.py; the bundle has answers\.py, /],
    ['../answers.handler', 'HandlerNotFound', /needs a file/],
    ['calls.nothing', 'HandlerNotFound', /calls\.py has "told", "one", "many"; it must have "nothing" as a function/],
    ['calls', 'HandlerNotFound', /it must have "handler" or "lambda_handler" or "app" or "application"/],
    ['applications.fails_at_startup', 'InitError', /the application failed at its startup: no database/],
  ];
  for (const [handler, code, message, type] of failing) {
    test(`an init that fails says why: ${handler}`, async () => {
      await using tested = new PythonUnderTest();
      const failure = await tested.init(handler);
      assert.ok('code' in failure, JSON.stringify(failure));
      assert.equal(failure.code, code);
      assert.match(failure.message, message);
      if (type !== undefined) assert.equal(failure.type, type);
      const [text] = await tested.texts(1);
      assert.match(text ?? '', new RegExp(message.source.replace(/[$^]/g, '').split(';')[0] ?? ''));
      assert.ok(!text?.includes('swiftlet_runtime'), String(text));
    });
  }

  test('a module that exits ends the process, with its words', async () => {
    await using tested = new PythonUnderTest();
    await assert.rejects(tested.init('init_exits.handler'), /closed/);
    assert.deepEqual(await tested.exited, { code: 1, signal: null });
    assert.deepEqual(await tested.texts(1), ['not here']);
  });

  for (const [handler, codeDir, answer] of [
    ['package.inner.handler', fixtures, '"inner"'],
    ['package/inner.handler', fixtures, '"inner"'],
    ['./package/inner', fixtures, '"inner"'],
    ['queue.handler', `${fixtures}/shadowing`, '"mine"'],
  ] as const) {
    test(`a handler is found: ${handler}`, async () => {
      await using tested = new PythonUnderTest();
      await tested.state();
      await tested.init(handler, { codeDir });
      assert.equal((await tested.link.call('/')).body.toString(), answer);
    });
  }

  test('the environment is the function’s, and nothing of the platform’s or the host’s is on the path', async () => {
    await using tested = await initialised('answers.environment', { environment: { MARK: 'mine', PYTHONPATH: '/elsewhere' } });
    const { folder, environment, path } = JSON.parse((await tested.link.call('/')).body.toString()) as {
      folder: string;
      environment: Record<string, string>;
      path: string[];
    };
    assert.deepEqual([folder, environment['MARK'], environment['AWS_LAMBDA_FUNCTION_NAME']], [fixtures, 'mine', 'tested']);
    assert.equal(environment['AWS_REGION'], 'us-east-1');
    assert.deepEqual(
      Object.keys(environment).filter((name) => name.startsWith('SWIFTLET')),
      [],
    );
    assert.deepEqual(path.slice(0, 3), [fixtures, '/elsewhere', `${fixtures}/site-packages`]);
    assert.ok(!path.some((one) => one.includes('dist-packages') || one.includes('swiftlet-python')), path.join(' '));
  });

  test('secrets are found where they are said to be, and masked in what is told', async () => {
    const password = `pass"word'\\ü&${'7f3a'.repeat(4)}`;
    await using tested = await initialised('secretive.handler', {
      secrets: [
        { variable: 'PASSWORD', as: 'environment', value: password },
        { variable: 'KEY_FILE', as: 'file', value: 'line one\nline two' },
      ],
    });
    const found = JSON.parse((await tested.link.call('/found')).body.toString()) as unknown;
    assert.deepEqual(found, { password, key: 'line one\nline two', mode: 0o400 });
    const { failure } = await tested.link.call('/raises');
    assert.equal(failure?.message, 'wrong: ***');
    assert.ok(!JSON.stringify([failure, await tested.texts(2)]).includes('7f3a'), JSON.stringify(failure));
  });
});
