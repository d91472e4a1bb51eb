import assert from 'node:assert/strict';
import { appendFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, it, type TestContext } from 'node:test';
import type { AuditRecord } from '../../src/model/audit.ts';
import { eventually } from '../e2e/functions.ts';
import { assertProblem, type ControlUnderTest, startUnderTest } from './control-under-test.ts';

const records = async (control: ControlUnderTest, query = 'last=1000'): Promise<AuditRecord[]> =>
  (await control.call(`/v1/audit?${query}`)).json['records'] as AuditRecord[];
const verification = async (control: ControlUnderTest) =>
  (await control.call('/v1/audit/verification')).json as {
    intact: boolean;
    records: number;
    breaks: { where: string; seq: number; what: string }[];
  };
const folderOf = (control: ControlUnderTest): string => join(control.folder, 'control', 'audit');
const fileOf = (control: ControlUnderTest): string => join(folderOf(control), readdirSync(folderOf(control))[0] ?? '');
/** Something that leaves a record. */
const act = (control: ControlUnderTest, name = 'db') => control.put(`/v1/secrets/${name}`, { value: 'a value of its own' });

const changing = ['post', 'put', 'patch', 'delete'];

describe('the audit records', () => {
  it('have every route that changes something, done or refused', async (t) => {
    const control = await startUnderTest(t);
    const { paths } = (await control.call('/openapi.json')).json as { paths: Record<string, Record<string, unknown>> };
    const routes = Object.entries(paths).flatMap(([path, item]) =>
      Object.keys(item)
        .filter((method) => changing.includes(method))
        .map((method) => ({ method: method.toUpperCase(), path })),
    );
    assert.ok(routes.length >= 12, 'the document has them');
    const id = (path: string): string =>
      path
        .replace('{digest}', 'a'.repeat(64))
        .replace('{id}', 'a'.repeat(16))
        .replace(/\{\w+\}/g, 'thing');
    for (const { method, path } of routes) {
      await control.call(id(path), { method, body: '{}' });
      await control.call(id(path), { method, body: '{}', token: 'a guess' });
    }
    const all = await records(control);
    for (const { method, path } of routes) {
      const action = `${method} ${path.replace(/\{(\w+)\}/g, ':$1')}`;
      const own = all.filter((record) => record.action === action);
      assert.deepEqual(own.map(({ actor }) => actor.kind).sort(), ['nobody', 'root'], action);
      assert.ok(
        own.every(({ target }) => target === id(path)),
        action,
      );
      assert.equal(own.find(({ actor }) => actor.kind === 'nobody')?.result.code, 'Unauthorized');
    }
  });

  it('say who did what to what, when, from where, and how it ended; and nothing of what was sent', async (t) => {
    const control = await startUnderTest(t);
    const { headers } = await control.put('/v1/secrets/db?why=because', { value: 'nobody is to see this' });
    await control.put('/v1/secrets/db', { value: 'a different one this time' });
    await control.call('/v1/secrets');
    const [done, refused, ...others] = await records(control);
    assert.deepEqual(others, [], 'what only reads is not recorded');
    const { time, ...rest } = done ?? assert.fail();
    assert.ok(Math.abs(Date.parse(time) - Date.now()) < 10_000);
    assert.deepEqual(
      { ...rest, hash: '', previous: '' },
      {
        hash: '',
        previous: '',
        seq: 1,
        tenant: 'default',
        actor: { kind: 'root', id: 'root' },
        source: '127.0.0.1',
        action: 'PUT /v1/secrets/:secret',
        target: '/v1/secrets/db',
        requestId: headers.get('x-swiftlet-request-id'),
        result: { status: 201 },
      },
    );
    assert.deepEqual(refused?.result, { status: 409, code: 'SecretExists' });
    assert.ok(!readFileSync(fileOf(control), 'utf8').includes('nobody is'));
  });

  it('have values of the environment that were looked at', async (t) => {
    const control = await startUnderTest(t);
    await control.put('/v1/functions/hello', { digest: await control.bundle() });
    await control.call('/v1/functions/hello?reveal=true');
    assert.equal((await records(control)).at(-1)?.action, 'GET /v1/functions/:name?reveal');
  });

  it('come together when the same is refused again and again', async (t) => {
    const control = await startUnderTest(t);
    for (let count = 0; count < 20; count++) await control.call('/v1/functions', { token: 'a guess' });
    assert.equal((await records(control)).length, 1);
    const again = await restarted(t, control);
    assert.deepEqual(
      (await records(again)).map(({ times }) => times),
      [undefined, 19],
    );
  });

  it('can be followed: whoever waits has a record as soon as it is there', async (t) => {
    const control = await startUnderTest(t);
    await act(control);
    const waiting = records(control, 'after=1&waitS=20');
    await act(control, 'tls');
    assert.deepEqual(
      (await waiting).map(({ target }) => target),
      ['/v1/secrets/tls'],
    );
    const none = records(control, 'after=2&waitS=20');
    await new Promise((resolve) => setTimeout(resolve, 50));
    const startedAt = performance.now();
    await control.stop(1_000);
    await none.catch(() => undefined);
    assert.ok(performance.now() - startedAt < 5_000, 'who waits does not hold up an end');
  });

  it('have what control was killed in the middle of', async (t) => {
    const control = await startUnderTest(t);
    await act(control);
    await control.stop();
    const database = new DatabaseSync(join(control.folder, 'control', 'store.sqlite'));
    const attempt = {
      time: '2026-01-02T03:04:05.000Z',
      tenant: 'default',
      actor: { kind: 'root', id: 'root' },
      source: '127.0.0.1',
      action: 'DELETE /v1/functions/:name',
      target: '/v1/functions/hello',
      requestId: 'r-1',
    }; // prettier-ignore
    database.prepare('INSERT INTO audit_open VALUES (?, ?)').run('r-1', JSON.stringify(attempt));
    database.close();
    const again = await startUnderTest(t, control.folder);
    const last = (await records(again)).at(-1);
    assert.deepEqual([last?.action, last?.result], ['DELETE /v1/functions/:name', { status: 500, code: 'Interrupted' }]);
    assert.equal((await verification(again)).intact, true);
  });
});

describe('the chain of audit records', () => {
  const filled = async (t: TestContext) => {
    const control = await startUnderTest(t);
    for (const name of ['one', 'two', 'three', 'four']) await act(control, name);
    await eventually(
      () => readFileSync(fileOf(control), 'utf8').split('\n').length,
      (lines) => lines === 5,
    );
    return control;
  };
  const inStore = (control: ControlUnderTest, sql: string) => {
    const database = new DatabaseSync(join(control.folder, 'control', 'store.sqlite'));
    database.exec(sql);
    database.close();
  };

  it('holds, in the store and in the copy, over a restart', async (t) => {
    const control = await filled(t);
    const { intact, records: count, breaks } = await verification(control);
    assert.deepEqual([intact, count, breaks], [true, 4, []]);
    const again = await restarted(t, control);
    await act(again, 'five');
    assert.deepEqual((await verification(again)).breaks, []);
    assert.equal(((await again.call('/v1/security')).json['audit'] as { verified: { intact: boolean } }).verified.intact, true);
  });

  it('is broken by a record that somebody changes in the store, and the record is named', async (t) => {
    const control = await filled(t);
    inStore(control, `UPDATE audit SET record = replace(record, '"status":201', '"status":403') WHERE seq = 2`);
    const { intact, breaks } = await verification(control);
    assert.equal(intact, false);
    assert.deepEqual(breaks, [{ where: 'store', seq: 2, what: 'it was changed' }]);
  });

  it('is broken by a record that somebody takes out of the store, in the middle or at the end', async (t) => {
    for (const seq of [3, 4]) {
      const control = await filled(t);
      await control.stop();
      inStore(control, `DELETE FROM audit WHERE seq = ${seq}`);
      const again = await startUnderTest(t, control.folder);
      await act(again, 'five');
      const { intact, breaks } = await verification(again);
      assert.equal(intact, false);
      assert.equal(breaks[0]?.where, seq === 3 ? 'store' : 'file', JSON.stringify(breaks));
    }
  });

  it('is broken by a line that somebody changes, or adds, in the copy', async (t) => {
    const control = await filled(t);
    const text = readFileSync(fileOf(control), 'utf8');
    writeFileSync(fileOf(control), text.replace('/v1/secrets/two', '/v1/secrets/bad'));
    assert.deepEqual((await verification(control)).breaks, [{ where: 'file', seq: 2, what: 'it was changed' }]);
    writeFileSync(fileOf(control), text.split('\n').toSpliced(1, 0, 'hello').join('\n'));
    assert.deepEqual((await verification(control)).breaks, [{ where: 'file', seq: 2, what: 'it is no record any more' }]);
  });

  it('is not broken by a line that a dying control left half written', async (t) => {
    const control = await filled(t);
    await control.stop();
    appendFileSync(fileOf(control), '{"seq":5,"half');
    const again = await startUnderTest(t, control.folder);
    await act(again, 'five');
    assert.deepEqual((await verification(again)).breaks, []);
  });

  it('says it aloud: in the answer about the guards', async (t) => {
    const control = await filled(t);
    inStore(control, 'DELETE FROM audit WHERE seq = 1');
    await verification(control);
    const { verified } = (await control.call('/v1/security')).json['audit'] as { verified: { intact: boolean; breaks: object[] } };
    assert.deepEqual([verified.intact, verified.breaks.length], [false, 1]);
  });
});

describe('who may read the audit records', () => {
  it('is who oversees the platform', async (t) => {
    const control = await startUnderTest(t);
    assertProblem(await control.call('/v1/audit', { token: null }), 401, 'Unauthorized');
    assertProblem(await control.call('/v1/security', { token: null }), 401, 'Unauthorized');
    assert.equal((await control.call('/v1/audit?last=5000')).status, 400);
  });
});

async function restarted(t: TestContext, control: ControlUnderTest): Promise<ControlUnderTest> {
  await control.stop();
  return startUnderTest(t, control.folder);
}
