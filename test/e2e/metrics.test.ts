import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, before, test } from 'node:test';
import { type E2e, eventually, openE2e } from './functions.ts';

let e2e: E2e;
before(async () => {
  e2e = await openE2e();
});
after(() => e2e[Symbol.asyncDispose]());

const hasPromtool = spawnSync('promtool', ['--version']).status === 0;

test('the metrics count what happened', async () => {
  await e2e.publish('counted', 'export const handler = (e) => { if (e.rawPath === "/bad") throw new Error(); return 1; };');
  for (const path of ['', '', 'bad']) await e2e.call(`/counted/${path}`);
  const text = await eventually(
    () => e2e.platform.api.metrics(),
    (metrics) => metrics.includes('outcome="HandlerError"'),
  );
  assert.match(text, /swiftlet_requests_total\{tenant="default",function="counted",outcome="ok"\} 2/);
  assert.match(text, /swiftlet_requests_total\{tenant="default",function="counted",outcome="HandlerError"\} 1/);
  assert.match(text, /swiftlet_request_duration_seconds_count\{tenant="default",function="counted"\} 3/);
  for (const phase of ['sandbox', 'code', 'environment', 'network', 'runtime', 'init']) {
    for (const kind of ['phase', 'prepaid'])
      assert.match(
        text,
        new RegExp(`swiftlet_cold_start_${kind}_seconds_count\\{tenant="default",function="counted",phase="${phase}"\\} 1`),
      );
    const labels = `tenant="default",function="counted",version="1",phase="${phase}"`;
    for (const paid of ['waited', 'ahead'])
      assert.match(text, new RegExp(`swiftlet_version_cold_start_seconds_total\\{${labels},paid="${paid}"\\} \\d`));
  }
  assert.match(text, /swiftlet_version_starts_total\{tenant="default",function="counted",version="1",start="warm"\} 2/);
  assert.match(text, /swiftlet_version_starts_total\{tenant="default",function="counted",version="1",start="cold"\} 1/);
  assert.match(text, /swiftlet_instances\{tenant="default",function="counted",state="leased"\} 1/);
  for (const role of ['control', 'gateway', 'agent', 'relay', 'events'])
    assert.match(text, new RegExp(`swiftlet_role_up\\{role="${role}"\\} 1`));
});

test('a function that is removed takes its figures along', async () => {
  await e2e.publish('gone', 'export const handler = () => 1;');
  await e2e.call('/gone/');
  await eventually(
    () => e2e.platform.api.metrics(),
    (metrics) => metrics.includes('function="gone",outcome="ok"'),
  );
  await e2e.platform.api.remove('gone');
  await eventually(
    () => e2e.platform.api.metrics(),
    (metrics) => !metrics.includes('function="gone"'),
  );
});

test('promtool finds no fault with them', {
  skip: hasPromtool ? false : 'promtool is not installed (Debian package prometheus)',
}, async () => {
  const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
    input: await e2e.platform.api.metrics(),
    encoding: 'utf8',
  });
  assert.equal(status, 0, stdout + stderr);
});
