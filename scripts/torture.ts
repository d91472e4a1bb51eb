/**
 * What takes too long for every change: the attacks of threats.md in full, then ten minutes of mixed load, then each kind of source.
 * `npm run torture [-- attacks|soak|sources [kind]]`; one of the attacks by the name of its file in torture/, as `npm run torture -- ledger`:
 * the thousand kills under which no event is lost; a number behind it is how often, as `npm run torture -- mixed 20000`. What each file showed is written to `docs/measurements/torture-<name>.md`.
 */
import { spawn } from 'node:child_process';
import { globSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { finished } from 'node:stream/promises';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { machineText, recordOf, type TortureTest } from './torture-record.ts';

const attacks = globSync('torture/*.test.ts').sort();
const sources = globSync('torture/sources/*.test.ts').sort();
const parts = ['attacks', 'soak', 'sources'] as const;
const [chosen, ...args] = process.argv.slice(2);
const nameOf = (path: string): string => basename(path, '.test.ts');

const attack = attacks.find((path) => nameOf(path) === chosen);
const part = parts.find((one) => one === chosen);
// An option is one of the soak, as `--quick`.
const isOption = chosen?.startsWith('-') === true;
const soakOptions = chosen !== undefined && isOption ? [chosen, ...args] : args;
if (chosen !== undefined && !isOption && part === undefined && attack === undefined) {
  process.stderr.write(`there is no torture "${chosen}", but: ${[...parts, ...attacks.map(nameOf)].join(', ')}\n`);
  process.exit(2);
}
const [count] = args;
if (attack !== undefined && count !== undefined) {
  if (!/^[1-9]\d{0,9}$/.test(count)) {
    process.stderr.write(`"${count}" is no number of times; such a one is 20000\n`);
    process.exit(2);
  }
  process.env['SWIFTLET_TORTURE_COUNT'] = count;
}
if (attack !== undefined) await torture(attack, nameOf(attack));
else for (const one of part === undefined ? parts : [part]) await runPart(one);

async function runPart(one: (typeof parts)[number]): Promise<void> {
  switch (one) {
    case 'attacks':
      for (const path of attacks) await torture(path, nameOf(path));
      return;
    case 'soak':
      return soak();
    case 'sources':
      for (const path of sources)
        if (part === undefined || args.length === 0 || args.includes(nameOf(path))) await torture(path, `sources ${nameOf(path)}`);
  }
}

/** Runs a file of tests, without limits of time but its own, and writes its record. @param name what it is called on the command line */
async function torture(path: string, name: string): Promise<void> {
  const tests: (TortureTest & { readonly said: string[] })[] = [];
  const stream = run({ files: [path], concurrency: 1, execArgv: ['--disable-warning=ExperimentalWarning'] });
  stream.on('test:diagnostic', ({ file, message, nesting }) => {
    // What a test said comes behind its end; the runner's own sums have no file.
    if (file !== undefined && nesting <= 1) tests.at(-1)?.said.push(message);
  });
  const ended = ({ name: title, nesting, details }: { name: string; nesting: number; details: { duration_ms: number; error?: Error } }) => {
    if (nesting > 0) return;
    const failure = failureOf(details.error);
    tests.push({ name: title, seconds: details.duration_ms / 1_000, failure, said: [] });
    if (failure !== undefined) process.exitCode = 1;
  };
  stream.on('test:pass', ended);
  stream.on('test:fail', ended);
  const printed = stream.compose(spec);
  printed.pipe(process.stdout, { end: false });
  await finished(printed);
  writeFileSync(`docs/measurements/torture-${name.replaceAll(' ', '-')}.md`, recordOf(name, new Date(), machineText(), tests));
}

/** The runner wraps what a test threw. */
function failureOf(error: Error | undefined): string | undefined {
  if (error === undefined) return undefined;
  return error.cause instanceof Error ? error.cause.message : error.message;
}

async function soak(): Promise<void> {
  const command = ['--disable-warning=ExperimentalWarning', 'bench/main.ts', '--scenario', 'soak', ...soakOptions];
  const child = spawn(process.execPath, command, { stdio: 'inherit' });
  const code = await new Promise<number>((resolve) => child.once('exit', (status) => resolve(status ?? 1)));
  process.exitCode = Math.max(code, Number(process.exitCode ?? 0));
}
