/** Extensions as AWS Lambda knows them, in real sandboxes: executables beside a custom runtime. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { type E2e, eventually, openE2e } from './functions.ts';

const bootstrap = readFileSync(new URL('../programs/bootstrap.sh', import.meta.url), 'utf8');
const extension = readFileSync(new URL('../programs/extension.mjs', import.meta.url), 'utf8');
const waitMs = 30_000;

let e2e: E2e;
before(async () => {
  e2e = await openE2e({ poolSize: 2 });
});
after(() => e2e[Symbol.asyncDispose]());

const publish = (name: string, extensions: Record<string, string>, config: Parameters<E2e['publish']>[2] = {}) => {
  const files = Object.fromEntries(Object.entries(extensions).map(([file, text]) => [`extensions/${file}`, text]));
  return e2e.publish(name, { bootstrap, ...files }, { runtime: 'provided', initTimeoutMs: waitMs, ...config });
};
const texts = async (name: string) => (await e2e.log(name)).map(({ message }) => String(message));
/** What the extension has printed of its events, once it is as expected. */
const told = (name: string, expected: RegExp) =>
  eventually(
    async () => (await texts(name)).filter((text) => text.startsWith('told ')).join('\n'),
    (all) => expected.test(all),
    waitMs,
  );

test('one is told of invocations, gets the telemetry, and is told when its instance is not needed any more', async () => {
  await publish('watched', { watcher: extension }, { idleMs: 50 });
  const { status, text } = await e2e.call('/watched/');
  assert.equal(status, 200, text);
  await told('watched', /told INVOKE/);
  await told('watched', /told telemetry .*platform\.initStart.*platform\.start.*platform\.runtimeDone/s);
  await told('watched', /told SHUTDOWN SPINDOWN/);
});

test('one that ends before it registers fails the start with its name', async () => {
  await publish('crashing', { broken: '#!/bin/sh\necho "no licence"\nexit 4\n' });
  const { status, json } = await e2e.call('/crashing/');
  assert.equal(status, 502);
  assert.match(JSON.stringify(json), /Extension\.Crash: extension broken ended: exit status 4; no licence/);
});
