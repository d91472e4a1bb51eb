/** Timers on a real platform: declared in a manifest, run from zero, shown, and refused where they cannot be. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type E2e, eventually, openE2e } from './functions.ts';
import { killRole } from './platform-processes.ts';

const cli = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const code = 'export const handler = (event, { awsRequestId }) => { console.log(JSON.stringify({ event, awsRequestId })); return 1; };';

let e2e: E2e;
let folder: string;
before(async () => {
  e2e = await openE2e();
  folder = mkdtempSync(join(tmpdir(), 'swiftlet-timers-'));
  mkdirSync(join(folder, 'ticks'));
  writeFileSync(join(folder, 'ticks', 'index.mjs'), code);
});
after(async () => {
  rmSync(folder, { recursive: true, force: true });
  await e2e[Symbol.asyncDispose]();
});

const swiftlet = (...args: string[]) =>
  new Promise<{ code: number; text: string }>((resolve) => {
    const env = { ...process.env, SWIFTLET_HOME: e2e.platform.home, SWIFTLET_API_URL: e2e.platform.apiUrl };
    execFile(process.execPath, [cli, ...args], { encoding: 'utf8', env }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), text: stdout + stderr }),
    );
  });
const deploy = (timers: string) => {
  writeFileSync(join(folder, 'swiftlet.yaml'), `functions:\n  ticks:\n    idle: 0s\n    timers:\n${timers}`);
  return swiftlet('deploy', folder);
};

interface Tick {
  readonly event: { readonly id: string; readonly time: string; readonly detail: { readonly timer: string } };
  readonly awsRequestId: string;
}
const ticks = async (timer: string): Promise<Tick[]> =>
  (await e2e.log('ticks'))
    .flatMap(({ message }) => (typeof message === 'string' && message.startsWith('{') ? [JSON.parse(message) as Tick] : []))
    .filter(({ event }) => event.detail.timer === timer);

test('a cron of six fields wakes its function from zero, once each time, also over a kill of the events role', async () => {
  const deployed = await deploy("      often: { cron: '* * * * * *', missed: all }\n      never-again: { at: 2020-01-01T00:00:00 }\n");
  assert.equal(deployed.code, 0, deployed.text);
  await eventually(
    () => ticks('often'),
    ({ length }) => length >= 2,
  );
  await killRole(e2e.platform, 'events');
  const before = (await ticks('often')).length;
  const seen = await eventually(
    () => ticks('often'),
    ({ length }) => length >= before + 3,
  );
  const times = seen.map(({ event }) => event.time).toSorted();
  const ids = new Map(seen.map(({ event, awsRequestId }) => [event.time, awsRequestId]));
  // An attempt that the kill broke off comes again with the same id: a time may be seen twice, but never as two events.
  for (const { event, awsRequestId } of seen) assert.deepEqual([event.id, ids.get(event.time)], [awsRequestId, awsRequestId]);
  const distinct = [...new Set(times)].map((time) => Date.parse(time));
  for (const [at, ms] of distinct.entries()) if (at > 0) assert.equal(ms - (distinct[at - 1] ?? 0), 1_000, 'a second was left out');
});

test('describe shows when each runs and ran last', async () => {
  const { text } = await swiftlet('describe', 'ticks');
  assert.match(text, /TIMER +SCHEDULE +TIME ZONE +NEXT RUN +LAST RUN/);
  assert.match(text, /often +cron \* \* \* \* \* \* +UTC +20\d\d-\S+Z +20\d\d-\S+Z/);
  assert.match(text, /never-again +once at 2020-01-01T00:00:00 +UTC +never +never/);
});

test('a removed timer runs no more', async () => {
  assert.equal((await deploy('      rare: { rate: 24h }\n')).code, 0);
  const url = `${e2e.platform.apiUrl}/v1/functions/ticks/timers`;
  const headers = { authorization: `Bearer ${e2e.platform.token}` };
  await eventually(
    async () => ((await (await fetch(url, { headers })).json()) as { timers: { name: string }[] }).timers.map(({ name }) => name).join(),
    (names) => names === 'rare',
  );
});

const refused: readonly (readonly [timer: string, message: RegExp])[] = [
  ["bad: { cron: '0 0 30 2 *' }", /swiftlet\.yaml:5:20: functions\.ticks\.timers\.bad\.cron: "0 0 30 2 \*" never comes/],
  ["bad: { cron: '0 9 * *' }", /swiftlet\.yaml:5:20: .*it has 4 fields/],
  ["bad: { cron: '0 9 * * *', timeZone: Europe/Atlantis }", /swiftlet\.yaml:5:43: .*no time zone "Europe\/Atlantis"/],
  ['bad: { rate: 0.1s }', /swiftlet\.yaml:5:20: .*out of range/],
  ["bad: { cron: '* * * * *', rate: 5m }", /swiftlet\.yaml:5:12: .*one of cron, rate and at/],
  ["bad: { corn: '* * * * *' }", /unknown key "corn"; did you mean "cron"/],
  ["b.d: { cron: '* * * * *' }", /"b.d" is no name for a timer/],
];
for (const [timer, message] of refused) {
  test(`${timer} is refused with its place`, async () => {
    const { code: status, text } = await deploy(`      ${timer}\n`);
    assert.equal(status, 2, text);
    assert.match(text, message);
  });
}

test('the API refuses it, too, with its place', async () => {
  await e2e.publish('other', code);
  const config = { timers: { bad: { kind: 'cron', expression: '0 0 30 2 *' } } };
  await assert.rejects(() => e2e.publish('other', code, config as never), /config\.timers\.bad\.expression: .*never comes/);
});
