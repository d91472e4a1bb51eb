/** The number of instances on the real platform: it follows the load, says why, and falls when the load is gone. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { z } from 'zod';
import { packageFolder } from '../../src/role/package-folder.ts';
import { scalingViewSchema } from '../../src/wire/scale-calls.ts';
import { type E2e, eventually, openE2e } from './functions.ts';

let e2e: E2e;
before(async () => {
  e2e = await openE2e({ poolSize: 8 });
});
after(() => e2e[Symbol.asyncDispose]());

const describedSchema = z.object({ instances: z.array(z.object({ state: z.string() })), scaling: z.array(scalingViewSchema) });

async function described(name: string): Promise<z.output<typeof describedSchema>> {
  const { apiUrl, token } = e2e.platform;
  const response = await fetch(`${apiUrl}/v1/functions/${name}`, { headers: { authorization: `Bearer ${token}` } });
  return describedSchema.parse(await response.json());
}

function swiftlet(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const { home, apiUrl } = e2e.platform;
  const env = { ...process.env, SWIFTLET_HOME: home, SWIFTLET_API_URL: apiUrl, NO_COLOR: '1' };
  return spawnSync(process.execPath, [join(packageFolder, 'src', 'cli', 'main.ts'), ...args], { env, encoding: 'utf8' });
}

const takes = (ms: number): string => `export const handler = () => new Promise((resolve) => setTimeout(resolve, ${ms}, 'x'));`;

test('a load has instances started ahead, the API and describe say why, and they go when it is gone', async () => {
  // Six at once: more than 70 % of six, so that there are to be nine, although nobody waits for the last three.
  await e2e.publish('busy', takes(50), { idleMs: 3_000, freezeMs: 300, scale: { windowMs: 6_000, burstWindowMs: 1_000, delayMs: 1_000 } });
  const enough = new AbortController();
  const callers = Promise.all(
    Array.from({ length: 6 }, async () => {
      while (!enough.signal.aborted) assert.equal((await e2e.call('/busy/')).status, 200);
    }),
  );
  const seen = await eventually(
    () => described('busy'),
    ({ instances, scaling }) => instances.length >= 8 && (scaling[0]?.target ?? 0) >= 8,
    60_000,
  ).finally(() => enough.abort());
  const [why] = seen.scaling;
  assert.deepEqual([why?.version, why?.signal, why?.perInstance.toFixed(2)], [1, 'concurrency', '0.70']);
  assert.match(
    swiftlet('describe', 'busy').stdout,
    /VERSION +INSTANCES +TARGET +WANTED +WHY *\n1 .*requests at once \((?:burst|stable) window\), 0\.70 for each/,
  );
  await callers;
  await eventually(
    () => described('busy'),
    ({ instances }) => instances.length === 0,
  );
});

test('instances that are there beside the first get their share before it is full', async () => {
  const code = `const born = Math.random(); export const handler = () => new Promise((resolve) => setTimeout(resolve, 300, born));`;
  await e2e.publish('shared', code, { concurrency: 10, minimum: 2 });
  // Nine at once: over the mark of one instance, and fewer than it takes.
  await eventually(
    async () => new Set((await Promise.all(Array.from({ length: 9 }, () => e2e.call('/shared/')))).map(({ text }) => text)),
    (born) => born.size === 2,
    20_000,
  );
});

test('a schedule has its instances without any request', async () => {
  await e2e.publish('clocked', takes(1), { scale: { schedules: [{ expression: '* * * * *', forMs: 60_000, minimum: 2 }] } });
  const { scaling } = await eventually(
    () => described('clocked'),
    ({ instances }) => instances.length === 2,
  );
  assert.deepEqual([scaling[0]?.minimum, scaling[0]?.limitedBy], [2, 'minimum']);
});

test('a new version starts with its initial instances', async () => {
  await e2e.publish('fresh', takes(1), { scale: { initial: 3 } });
  const { scaling } = await eventually(
    () => described('fresh'),
    ({ instances }) => instances.length === 3,
  );
  assert.equal(scaling[0]?.limitedBy, 'initial');
});

test('a schedule whose clock is none is refused with its place', async () => {
  await assert.rejects(
    e2e.publish('wrong', takes(1), { scale: { schedules: [{ expression: '0 0 30 2 *', forMs: 60_000, target: 1 }] } }),
    /config\.scale\.schedules\.0\.expression: .* never comes/,
  );
});

test('swiftlet simulate: start times as this platform has measured them, a table, a picture; twice the same', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'swiftlet-simulate-'));
  try {
    const file = join(folder, 'requests.csv');
    writeFileSync(
      file,
      `seconds,durationMs,function\n${Array.from({ length: 600 }, (_, at) => `${at / 10},100,${at % 7 === 0 ? 'a' : 'b'}`).join('\n')}\n`,
    );
    const args = ['simulate', file, '--svg', join(folder, 'picture.svg')];
    // The relay has the reports of starts a moment after the starts themselves.
    const first = await eventually(
      () => swiftlet(...args),
      ({ stderr }) => stderr.includes('Starts as measured'),
    );
    assert.deepEqual([first.status, first.stderr.includes('Starts as measured on this host')], [0, true], first.stderr);
    assert.match(first.stdout, /POLICY +REQUESTS +COLD[^]*default +600[^]*idle=10m,scale=off +600/);
    assert.match(readFileSync(join(folder, 'picture.svg'), 'utf8'), /^<svg [^]*polyline[^]*<\/svg>\n$/);
    const again = (seed: string) => swiftlet('simulate', file, '--json', '--start-time', '5ms', '--seed', seed).stdout;
    assert.equal(again('a'), again('a'));
    const wrong = swiftlet('simulate', file, '--policy', 'idel=10m');
    assert.deepEqual([wrong.status, /--policy idel=10m: .*a policy is "default", or some of idle, freeze/.test(wrong.stderr)], [2, true]);
    assert.equal(swiftlet('simulate', join(folder, 'none.csv')).status, 3);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
