/** A function's log on disk: rotated by size, read back across files, and whole again after a full disk. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { logFileBytes, logFiles } from '../../src/model/limits.ts';
import { LogFile } from '../../src/relay/log-file.ts';
import { needsMount, smallDisk } from '../control/small-disk.ts';

const mebibyte = 1024 * 1024;
const lineOf = (number: number, bytes = 100) => `${JSON.stringify({ number, filler: 'x'.repeat(bytes) })}\n`;
const numbersOf = (lines: readonly string[]) => lines.map((line) => (JSON.parse(line) as { number: number }).number);

function temporary(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'swiftlet-log-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'log');
}

function open(folder: string) {
  const told: string[] = [];
  const failures: { code: string; lost: number }[] = [];
  const file = new LogFile(folder, {
    size: { fileBytes: logFileBytes, files: logFiles },
    failed: (error, lost) => failures.push({ code: error instanceof Error && 'code' in error ? String(error.code) : String(error), lost }),
    wrote: (lines) => told.push(lines),
  });
  return { file, told, failures };
}

test('a log is rotated at its size and has so many files at most; what is read is the newest, whole and in order', async (t) => {
  const folder = temporary(t);
  const { file, told, failures } = open(folder);
  const perBatch = 10;
  const lineBytes = 100_000;
  const batches = Math.ceil(((logFiles + 2) * logFileBytes) / (perBatch * lineBytes));
  for (let batch = 0; batch < batches; batch++) {
    for (let at = 0; at < perBatch; at++) file.append(lineOf(batch * perBatch + at, lineBytes));
    await file.settle();
  }
  assert.deepEqual(failures, []);
  const files = readdirSync(folder).sort();
  assert.ok(files.length <= logFiles, files.join());
  const slack = perBatch * (lineBytes + 100);
  for (const name of files) assert.ok(statSync(join(folder, name)).size <= logFileBytes + slack);
  const stored = files.flatMap((name) => numbersOf(readFileSync(join(folder, name), 'utf8').split('\n').filter(Boolean)));
  const total = batches * perBatch;
  assert.deepEqual(
    stored,
    Array.from({ length: stored.length }, (_, at) => total - stored.length + at),
  );
  assert.ok(stored.length * lineBytes > (logFiles - 1.2) * logFileBytes, 'more was thrown away than the limit asks for');
  // Across the edge between two files, and more than there is.
  const wanted = Math.ceil(logFileBytes / lineBytes) + 20;
  assert.deepEqual(
    numbersOf(await file.last(wanted)),
    Array.from({ length: wanted }, (_, at) => total - wanted + at),
  );
  assert.equal((await file.last(1_000_000)).length, stored.length);
  // Who follows is told everything, whatever was rotated meanwhile.
  assert.equal(told.join('').split('\n').length - 1, total);
});

test('a restart goes on in the last file', async (t) => {
  const folder = temporary(t);
  const first = open(folder);
  first.file.append(lineOf(1));
  await first.file.settle();
  const second = open(folder);
  second.file.append(lineOf(2));
  assert.deepEqual(numbersOf(await second.file.last(10)), [1, 2]);
  assert.equal(readdirSync(folder).length, 1);
});

test('a full disk costs the lines that came while it was full, and no other', async (t) => {
  const disk = smallDisk(t, 4 * mebibyte);
  if (disk === undefined) {
    t.skip(needsMount);
    return;
  }
  const { file, failures } = open(join(disk, 'log'));
  file.append(lineOf(0));
  await file.settle();
  const filler = join(disk, 'filler');
  // Some room stays, so that a write ends in the middle of a line.
  writeFileSync(filler, Buffer.alloc(3 * mebibyte));
  let number = 0;
  while (failures.length === 0) {
    number += 1;
    file.append(lineOf(number, 300_000));
    await file.settle();
  }
  const lost = number;
  file.append(lineOf(number + 1, 300_000));
  await file.settle();
  assert.deepEqual([...new Set(failures.map(({ code }) => code))], ['ENOSPC']);
  assert.ok(failures.every(({ lost: bytes }) => bytes > 300_000));
  assert.deepEqual(
    numbersOf(await file.last(100)),
    Array.from({ length: lost }, (_, at) => at),
  );
  rmSync(filler);
  file.append(lineOf(1_000));
  assert.deepEqual(numbersOf(await file.last(100)), [...Array.from({ length: lost }, (_, at) => at), 1_000]);
});

test('a line that a crash cut short does not spoil those that follow', async (t) => {
  const folder = temporary(t);
  const first = open(folder);
  first.file.append(lineOf(1));
  await first.file.settle();
  const [name = ''] = readdirSync(folder);
  writeFileSync(join(folder, name), lineOf(2).slice(0, 20), { flag: 'a' });
  const second = open(folder);
  second.file.append(lineOf(3));
  assert.deepEqual(numbersOf(await second.file.last(10)), [1, 3]);
});

test('what comes faster than the disk takes it is dropped, with word of it', async (t) => {
  const { file, failures } = open(temporary(t));
  for (let at = 0; at < 100; at++) file.append(lineOf(at, 100_000));
  assert.ok(failures.length > 0);
  const kept = numbersOf(await file.last(1_000));
  assert.equal(kept.length + failures.length, 100);
  assert.deepEqual(
    kept,
    kept.map((_, at) => at),
  );
});

test('what is older than a log is kept goes, also the file that is written to; what comes next is written anew', async (t) => {
  const folder = temporary(t);
  const { file, failures } = open(folder);
  const path = (number: number) => join(folder, `0000000${number}.jsonl`);
  file.append(lineOf(1));
  await file.settle();
  writeFileSync(path(1), lineOf(2));
  const now = Date.now() / 1000;
  utimesSync(path(0), now - 200, now - 200);
  await file.forgetBefore((now - 100) * 1000);
  assert.deepEqual(numbersOf(await file.last(10)), [2]);
  utimesSync(path(1), now - 200, now - 200);
  await file.forgetBefore((now - 100) * 1000);
  assert.deepEqual(await file.last(10), []);
  file.append(lineOf(3));
  assert.deepEqual(numbersOf(await file.last(10)), [3]);
  assert.deepEqual(failures, []);
});
