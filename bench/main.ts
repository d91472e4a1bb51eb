/** `npm run bench`: measures what SPECIFICATION.md promises. See README.md beside it. */
import { parseArgs } from 'node:util';
import { describeMachine } from './machine.ts';
import { startPlatform } from './platform.ts';
import { allReached, jsonReport, markdownReport, type Outcome, type Report, textReport } from './report.ts';
import type { BenchContext, Scenario } from './scenario.ts';
import { scenarios } from './scenarios.ts';
import { processorTimes, stolenNote } from './stolen-time.ts';

const usage = `npm run bench -- [options]

  --scenario NAME  only this one; may be given several times
  --quick          fewer samples: to see that it works, not to be quoted
  --json           print JSON
  --markdown       print rows for a table in Markdown
  --list           list the scenarios

Exit codes: 0 all targets reached, 1 a target missed or a scenario failed, 2 wrong usage.
`;

function readArguments() {
  const boolean = { type: 'boolean', default: false } as const;
  const options = {
    scenario: { type: 'string', multiple: true },
    quick: boolean,
    json: boolean,
    markdown: boolean,
    list: boolean,
    help: boolean,
  } as const;
  return parseArgs({ options }).values;
}

/** The scenarios asked for, else those that run by default. @throws Error for a name that there is not */
function choose(names: readonly string[] | undefined): readonly Scenario[] {
  if (names === undefined) return scenarios.filter(({ byDefault }) => byDefault);
  return names.map((name) => {
    const found = scenarios.find((scenario) => scenario.name === name);
    if (found === undefined) throw new Error(`unknown scenario "${name}"; there are ${scenarios.map((one) => one.name).join(', ')}`);
    return found;
  });
}

async function measure(scenario: Scenario, context: BenchContext): Promise<Outcome> {
  const before = processorTimes();
  try {
    const result = await scenario.run(context);
    return { scenario, result: { ...result, notes: [...result.notes, ...stolenNote(before, processorTimes())] } };
  } catch (error) {
    return { scenario, error: error instanceof Error ? error.message : String(error) };
  }
}

async function main(): Promise<number> {
  const values = readArguments();
  if (values.help || values.list) {
    process.stdout.write(values.help ? usage : `${scenarios.map(({ name, title }) => `${name}: ${title}`).join('\n')}\n`);
    return 0;
  }
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort(new Error('stopped')));
  const outcomes: Outcome[] = [];
  for (const scenario of choose(values.scenario)) {
    if (stop.signal.aborted) break;
    const progress = (text: string) => process.stderr.write(`${scenario.name}: ${text}\n`);
    const context = {
      quick: values.quick,
      signal: stop.signal,
      progress,
      startPlatform: (options: Parameters<typeof startPlatform>[0]) => startPlatform({ ...options, signal: stop.signal }),
    };
    outcomes.push(await measure(scenario, context));
  }
  const report: Report = { date: new Date().toISOString(), quick: values.quick, machine: describeMachine(), outcomes };
  const written = values.json ? jsonReport(report) : values.markdown ? markdownReport(report) : textReport(report);
  process.stdout.write(`${written}\n`);
  return allReached(report) ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${usage}`);
  process.exitCode = 2;
}
