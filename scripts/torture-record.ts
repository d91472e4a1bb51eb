/** What a part of the torture showed, as a page that stays: `docs/measurements/torture-<part>.md`. */
import { availableParallelism, cpus, release, totalmem } from 'node:os';

export interface TortureTest {
  readonly name: string;
  readonly seconds: number;
  /** What it failed with; undefined when all held. */
  readonly failure: string | undefined;
  /** What it said: its figures. */
  readonly said: readonly string[];
}

/** The page of a part. Pure. @param machine in words */
export function recordOf(part: string, date: Date, machine: string, tests: readonly TortureTest[]): string {
  const failed = tests.filter(({ failure }) => failure !== undefined).length;
  const day = date.toLocaleDateString('en-GB', { day: 'numeric', month: 'long', year: 'numeric', timeZone: 'UTC' });
  const outcome = failed === 0 ? 'all held' : `${failed} of ${tests.length} did not hold`;
  return [
    `# Torture: ${part}`,
    '',
    `\`npm run torture -- ${part}\`, ${day}; ${machine}: ${outcome}. Written by the run.`,
    '',
    '| what | seconds | result |',
    '| --- | --- | --- |',
    ...tests.map(({ name, seconds, failure, said }) =>
      row(name, seconds.toFixed(0), [...(failure === undefined ? [] : [`**failed**: ${failure}`]), ...said].join('; ') || 'held'),
    ),
    '',
  ].join('\n');
}

/** The machine that this runs on. */
export function machineText(): string {
  const memoryGiB = totalmem() / 1024 ** 3;
  const model = cpus()[0]?.model ?? 'unknown processor';
  return `${availableParallelism()} cores (${model}), ${memoryGiB.toFixed(1)} GiB, Linux ${release()}, Node.js ${process.version}`;
}

const row = (...cells: readonly string[]): string =>
  `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ').trim()).join(' | ')} |`;
