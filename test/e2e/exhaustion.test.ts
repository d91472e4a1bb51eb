/** Functions that take all they can get, from inside real sandboxes: they fail, and nobody else notices. Needs root, as full isolation does. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { statfsSync } from 'node:fs';
import { after, afterEach, before, test } from 'node:test';
import { fillsTmp, forkBomb, memoryBombs, opensFiles, spins, zombies } from '../../bench/hostile-functions.ts';
import { openBystander } from './bystander.ts';
import { type E2e, eventually } from './functions.ts';
import { answerWithoutEnd, outputForms, outputWithoutEnd, publishFloods } from './floods.ts';
import { type AttackedPlatform, openAttacked } from './host-state.ts';
import { needsRoot as skip } from './needs.ts';
import type { Memory } from './platform-memory.ts';

const mebibyte = 1024 * 1024;
const grownAtMostMiB = 32;
let attacked: AttackedPlatform;
let e2e: E2e;
let beside: Awaited<ReturnType<typeof openBystander>>;
let afterWarmUp: Memory;
before(async () => {
  if (skip !== false) return;
  attacked = await openAttacked();
  ({ e2e } = attacked);
  beside = await openBystander(e2e);
  afterWarmUp = await publishFloods(e2e);
  await beside(() => e2e.call('/returns/body'));
  await attacked.rest();
});
// After each attack processes, zombies, cgroups, mounts, networks, descriptors and temporary files are what they were.
afterEach(() => (skip === false ? attacked.restored() : undefined));
after(() => (skip === false ? attacked[Symbol.asyncDispose]() : undefined));

/** Processes of sandboxes whose command line matches. */
const inSandboxes = (pattern: RegExp): string[] =>
  execFileSync('ps', ['-eo', 'uid,stat,args'], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => /^\s*(19|20|21)\d{8}\s/.test(line) && pattern.test(line));

const gone = (pattern: RegExp) =>
  eventually(
    () => inSandboxes(pattern),
    (left) => left.length === 0,
  );

/** At a time limit: never before it, and not so late that something else ended it. How exactly is the benchmark’s to say. */
function assertAtLimit(tookMs: number, limitMs: number): void {
  assert.ok(tookMs >= limitMs - 250 && tookMs <= limitMs + 5_000, `it took ${tookMs} ms instead of ${limitMs}`);
}

async function timed<T>(run: () => Promise<T>): Promise<{ readonly result: T; readonly tookMs: number }> {
  const startedAt = performance.now();
  const result = await run();
  return { result, tookMs: performance.now() - startedAt };
}

test('a fork bomb: its instance is ended soon, and nothing of it is left', { skip }, async () => {
  await e2e.publish('forks', forkBomb.source, forkBomb.config);
  await e2e.call('/forks/warm');
  const { result, tookMs } = await beside(() => timed(() => e2e.call('/forks/')));
  assert.equal(result.json['code'], 'FunctionCrashed');
  assert.ok(tookMs < 10_000, `it took ${tookMs} ms`);
  await gone(/sleep 61/);
});

test('a process over the limit is refused with EAGAIN', { skip }, async () => {
  await e2e.publish(
    'many',
    "import { spawn } from 'node:child_process'; export const handler = async () => { const codes = await Promise.all(Array.from({ length: 200 }, () => new Promise((r) => { spawn('/bin/sleep', ['62'], { stdio: 'ignore' }).on('spawn', () => r('')).on('error', (e) => r(e.code)); }))); return [...new Set(codes)].sort(); };",
    { timeoutMs: 10_000 },
  );
  const { text, json } = await beside(() => e2e.call('/many/'));
  // It may be ended before it has answered, since what it does is what a fork bomb does.
  if (text.startsWith('[')) assert.deepEqual(JSON.parse(text), ['', 'EAGAIN']);
  else assert.equal(json['code'], 'FunctionCrashed');
  await gone(/sleep 62/);
});

test('10,000 zombies: no more than the limit of processes, and none is left', { skip }, async () => {
  await e2e.publish('zombies', zombies.source, zombies.config);
  const { json } = await beside(() => e2e.call('/zombies/'));
  assert.ok(['FunctionCrashed', 'Timeout'].includes(String(json['code'])), JSON.stringify(json));
  await gone(/sleep 63|\sZ/);
});

test('100 zombies, below the limit: Timeout at its time, and none is left', { skip }, async () => {
  const shell = 'for i in $(seq 100); do (exit) & done; exec sleep 64';
  await e2e.publish(
    'few-zombies',
    `import { spawn } from 'node:child_process'; export const handler = (e) => e.rawPath === '/warm' || new Promise(() => { spawn('/bin/sh', ['-c', ${JSON.stringify(shell)}], { stdio: 'ignore' }); });`,
    { timeoutMs: 1_000 },
  );
  await e2e.call('/few-zombies/warm');
  const { result, tookMs } = await timed(() => e2e.call('/few-zombies/'));
  assert.equal(result.json['code'], 'Timeout');
  assertAtLimit(tookMs, 1_000);
  await gone(/sleep 64|\sZ/);
});

test('all threads spin and signals are ignored: Timeout at its time, and all is gone within a second', { skip }, async () => {
  await e2e.publish('spins', spins.source, spins.config);
  await e2e.call('/spins/warm');
  const pids = (await e2e.platform.api.instances('spins')).map(({ pid }) => pid);
  const { result, tookMs } = await beside(() => timed(() => e2e.call('/spins/')));
  assert.equal(result.json['code'], 'Timeout');
  assertAtLimit(tookMs, 1_000);
  const alive = () => pids.filter((pid) => execFileSync('ps', ['-eo', 'pid'], { encoding: 'utf8' }).split('\n').map(Number).includes(pid));
  await eventually(alive, (left) => left.length === 0);
});

test('double forks that ignore signals are gone when the instance is', { skip }, async () => {
  await e2e.publish(
    'daemon',
    "import { spawn } from 'node:child_process'; export const handler = (e) => { if (e.rawPath === '/warm') return 1; spawn('/bin/sh', ['-c', 'trap \"\" TERM HUP; (sleep 65 &) ; sleep 65'], { detached: true, stdio: 'ignore' }).unref(); for (;;); };",
    { timeoutMs: 300 },
  );
  await e2e.call('/daemon/warm');
  const { result, tookMs } = await beside(() => timed(() => e2e.call('/daemon/')));
  assert.equal(result.json['code'], 'Timeout');
  assertAtLimit(tookMs, 300);
  await gone(/sleep 65/);
});

for (const [what, { source, config }] of Object.entries(memoryBombs)) {
  test(`a memory bomb (${what}): OutOfMemory, and only for that invocation`, { skip }, async () => {
    await e2e.publish(`memory-${what}`, source, config);
    const { status, json } = await beside(() => e2e.call(`/memory-${what}/`));
    assert.deepEqual([status, json['code']], [502, 'OutOfMemory']);
    assert.equal((await e2e.call(`/memory-${what}/fine`)).text, '"fine"');
  });
}

test('a child that takes all memory is killed alone, and its function may say so', { skip }, async () => {
  const child =
    'import { spawn } from "node:child_process"; export const handler = () => new Promise((r) => spawn("/bin/sh", ["-c", "exec tail /dev/zero"], { stdio: "ignore" }).on("exit", (code, signal) => r({ signal })));';
  await e2e.publish('memory-child', child, { memoryMiB: 128, timeoutMs: 20_000 });
  const { text, json } = await beside(() => e2e.call('/memory-child/'));
  // Whom the kernel chooses is the kernel's matter.
  assert.ok(json['signal'] === 'SIGKILL' || json['code'] === 'OutOfMemory', text);
});

test('/tmp full of bytes, then of files: ENOSPC inside, and the host’s disks are as before', { skip }, async () => {
  await e2e.publish('fills', fillsTmp.source, fillsTmp.config);
  const used = () => ['/', '/tmp', '/dev/shm'].map((path) => statfsSync(path)).map(({ blocks, bfree, bsize }) => (blocks - bfree) * bsize);
  const before = used();
  const peaks: number[] = [...before];
  const watching = setInterval(() => used().forEach((bytes, at) => (peaks[at] = Math.max(peaks[at] ?? 0, bytes))), 50);
  const { text } = await beside(() => e2e.call('/fills/')).finally(() => clearInterval(watching));
  const { bytes, files } = JSON.parse(text) as Record<'bytes' | 'files', { count: number; code: string }>;
  assert.deepEqual([bytes.code, files.code], ['ENOSPC', 'ENOSPC']);
  assert.ok(bytes.count <= 512, `${bytes.count} MiB`);
  assert.ok(files.count <= 65_536, `${files.count} files`);
  // Logs go to the disk too; what was written inside is 512 MiB.
  for (const [at, peak] of peaks.entries())
    assert.ok(peak - (before[at] ?? 0) < 32 * mebibyte, `the host’s disk took ${peak - (before[at] ?? 0)} bytes`);
});

test('a million descriptors: EMFILE', { skip }, async () => {
  await e2e.publish('opens', opensFiles.source, opensFiles.config);
  const { json } = await beside(() => e2e.call('/opens/'));
  assert.equal(json['code'], 'EMFILE');
  assert.ok(Number(json['count']) < 1_024);
});

for (const form of outputForms) {
  test(`output without end (${form}): cut with a mark, and the platform grows by 32 MiB at most`, { skip }, async () => {
    const { mebibytes, role, marks, keptBytes } = await outputWithoutEnd(e2e, beside, afterWarmUp, form, 300);
    assert.ok(mebibytes <= grownAtMostMiB, `${role} grew by ${mebibytes} MiB`);
    assert.ok(marks > 0, 'nothing says that output was cut');
    assert.ok(keptBytes < 16 * mebibyte, `${keptBytes} bytes were kept`);
  });
}

for (const reader of ['fast', 'none'] as const) {
  test(`an answer without end to a caller that ${reader === 'fast' ? 'takes it' : 'does not'}: the platform grows by 32 MiB at most`, {
    skip,
  }, async () => {
    const { mebibytes, role } = await answerWithoutEnd(e2e, beside, afterWarmUp, reader, 1_000);
    assert.ok(mebibytes <= grownAtMostMiB, `${role} grew by ${mebibytes} MiB`);
  });
}

test('a returned body of 100 MB, and 100,000 headers: 502 ResponseTooLarge', { skip }, async () => {
  for (const path of ['/returns/body', '/returns/headers', '/returns/header']) {
    const { status, json } = await beside(() => e2e.call(path));
    assert.deepEqual([status, json['code']], [502, 'ResponseTooLarge'], path);
  }
});

test('an init that crashes again and again: the reason each time, pauses that grow, and no spin', { skip }, async () => {
  await e2e.publish('crash-loop', 'console.log("tried"); throw new Error("never");');
  const started = async () => (await e2e.log('crash-loop')).filter((record) => record['message'] === 'tried').length;
  const until = performance.now() + 4_000;
  let asked = 0;
  await beside(async () => {
    for (; performance.now() < until; asked++) {
      const { status, json } = await e2e.call('/crash-loop/');
      assert.deepEqual([status, json['code']], [502, 'InitError']);
      assert.match(String(json['detail']), /never/);
    }
  });
  const tries = await started();
  // Pauses of 100, 200, 400, 800, 1,600 and 3,200 ms leave room for six.
  assert.ok(tries >= 3 && tries <= 8, `${tries} starts in 4 s for ${asked} requests`);
});

for (const [how, code] of [
  ['throws', 'throw new Error("no start");'],
  ['exits', 'process.exit(1);'],
  ['is killed', 'process.kill(process.pid, "SIGKILL");'],
] as const) {
  test(`an init that ${how}, for 100 callers at once: InitError for all, and few starts`, { skip }, async () => {
    const name = `init-${how.replace(' ', '-')}`;
    await e2e.publish(name, `console.log("tried"); ${code}`, { maximum: 5 });
    const answers = await beside(() => Promise.all(Array.from({ length: 100 }, () => e2e.call(`/${name}/`))));
    assert.deepEqual(new Set(answers.map(({ json }) => json['code'])), new Set(['InitError']));
    const tries = (await e2e.log(name)).filter((record) => record['message'] === 'tried').length;
    assert.ok(tries <= 10, `${tries} starts`);
  });
}
