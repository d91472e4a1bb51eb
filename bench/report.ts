/** Results for people, for programs and for the README. */
import Table from 'cli-table3';
import { type Figure, ratioOf, type Target, type Verdict, verdictOn } from './figure.ts';
import type { Machine } from './machine.ts';
import type { Result, Scenario } from './scenario.ts';

/** A scenario’s outcome: what it measured, or why it could not. */
export type Outcome =
  | { readonly scenario: Pick<Scenario, 'name' | 'title'>; readonly result: Result }
  | { readonly scenario: Pick<Scenario, 'name' | 'title'>; readonly error: string };

export interface Report {
  readonly date: string;
  readonly quick: boolean;
  readonly machine: Machine;
  readonly outcomes: readonly Outcome[];
}

const marks: Readonly<Record<Verdict, string>> = { reached: '✔', missed: '✘', stated: '' };

/** Whether all targets were reached by figures that count. */
export const allReached = ({ outcomes }: Report): boolean =>
  outcomes.every(
    (outcome) =>
      'result' in outcome && outcome.result.isolation.full && outcome.result.figures.every((figure) => verdictOn(figure) !== 'missed'),
  );

export function textReport({ date, quick, machine, outcomes }: Report): string {
  const heads = ['scenario', 'figure', 'value', 'baseline', 'ratio', 'target', '', 'samples', 'pool'];
  const table = new Table({ head: heads, style: { head: [], border: [], compact: true } });
  for (const { scenario, result } of measured(outcomes)) {
    for (const figure of result.figures) table.push([scenario.name, ...cells(figure), String(figure.samples), String(result.poolSize)]);
  }
  return [...facts(machine, date, quick), table.toString(), ...remarks(outcomes)].join('\n');
}

/** Rows for a table in Markdown, under a line that says when and where. */
export function markdownReport({ date, quick, machine, outcomes }: Report): string {
  const rows = measured(outcomes).flatMap(({ scenario, result }) =>
    result.figures.map((figure) => `| ${[scenario.title, ...cells(figure), `${figure.samples}`].join(' | ')} |`),
  );
  const head = [
    '| scenario | figure | value | baseline | ratio | target | | samples |',
    '| --- | --- | --- | --- | --- | --- | --- | --- |',
  ];
  return [`${facts(machine, date, quick).join('; ')}.`, '', ...head, ...rows, '', ...remarks(outcomes)].join('\n');
}

export const jsonReport = ({ outcomes, ...rest }: Report): string =>
  JSON.stringify({ ...rest, outcomes: outcomes.map(judged) }, undefined, 2);

function judged(outcome: Outcome): unknown {
  if ('error' in outcome) return outcome;
  const figures = outcome.result.figures.map((figure) => ({ ...figure, ratio: ratioOf(figure), verdict: verdictOn(figure) }));
  return { ...outcome, result: { ...outcome.result, counts: outcome.result.isolation.full, figures } };
}

const measured = (outcomes: readonly Outcome[]) => outcomes.filter((outcome) => 'result' in outcome);

function cells(figure: Figure): string[] {
  const { what, value, unit, baseline, target } = figure;
  const ratio = ratioOf(figure);
  const compared = baseline === undefined ? '' : `${baseline.name} ${amount(baseline.value, unit)}`;
  return [what, amount(value, unit), compared, ratio === undefined ? '' : ratio.toFixed(2), bound(target), marks[verdictOn(figure)]];
}

const bound = (target: Target | undefined): string =>
  target === undefined ? '' : 'atMost' in target ? `≤ ${target.atMost}` : `≥ ${target.atLeast}`;

/** Three significant digits, whole numbers from a hundred on. */
function amount(value: number, unit: Figure['unit']): string {
  const digits = Math.abs(value) >= 100 || Number.isInteger(value) ? value.toFixed(0) : value.toPrecision(3);
  return unit === 'count' ? digits : `${digits} ${unit}`;
}

function facts({ cpu, cores, memoryGiB, kernel, node }: Machine, date: string, quick: boolean): string[] {
  const mode = quick ? ['a quick run: too few samples to be quoted'] : [];
  return [date, `${cpu}, ${cores} cores, ${memoryGiB} GiB, Linux ${kernel}, Node.js ${node}`, ...mode];
}

function remarks(outcomes: readonly Outcome[]): string[] {
  return outcomes.flatMap((outcome) => {
    const { name } = outcome.scenario;
    if ('error' in outcome) return [`${name}: could not be measured: ${outcome.error}`];
    const { isolation, notes } = outcome.result;
    const validity = isolation.full
      ? `isolation in force: ${isolation.detail}`
      : `DOES NOT COUNT, functions are not fully isolated (${isolation.detail})`;
    return [validity, ...notes].map((note) => `${name}: ${note}`);
  });
}
