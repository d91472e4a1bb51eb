/** Replays a traffic file against the platform's own decisions on a virtual clock, and compares policies. */
import { readFileSync, writeFileSync } from 'node:fs';
import { durationSchema } from '../../build/quantities.ts';
import { SwiftletError } from '../../model/errors.ts';
import type { Spread } from '../../simulate/arrivals.ts';
import type { TextFile } from '../../simulate/azure-trace.ts';
import type { Outcome } from '../../simulate/outcome.ts';
import { readTraffic } from '../../simulate/read-traffic.ts';
import { simulate as replay } from '../../simulate/simulate.ts';
import { startTimesOf } from '../measured-starts.ts';
import { openOutput } from '../output.ts';
import { policyOf, usualPolicies } from '../simulated-policies.ts';
import { sparklines, svgOf } from '../simulation-picture.ts';
import { columnsOf, reportOf, type SimulationReport } from '../simulation-report.ts';
import { table } from '../table.ts';

export interface SimulateFlags {
  readonly durations?: string;
  readonly memory?: string;
  readonly policy?: string[];
  readonly concurrency: number;
  readonly duration: string;
  readonly startTime?: string;
  readonly spread: Spread;
  readonly seed: string;
  readonly svg?: string;
  readonly json?: boolean;
}

const defaultMemoryMiB = 128;
const [terminalColumns, svgColumns] = [64, 480];

export async function simulate(path: string, flags: SimulateFlags): Promise<void> {
  const output = openOutput(flags.json ?? false);
  const policies = (flags.policy ?? usualPolicies).map((text) => policyOf(text, flags));
  const durationMs = durationOf('--duration', flags.duration);
  const files = { traffic: fileAt(path), durations: optionalFile(flags.durations), memory: optionalFile(flags.memory) };
  const traffic = readTraffic(files, { durations: [{ share: 1, ms: durationMs }], memoryMiB: defaultMemoryMiB });
  const starts = await startTimesOf(flags.startTime === undefined ? undefined : durationOf('--start-time', flags.startTime));
  output.note(starts.told);
  const outcomes = policies.map((policy) => ({ policy, outcome: replay(traffic, policy, { ...flags, starts: starts.model }) }));
  const reports = outcomes.map(({ policy, outcome }) => reportOf(policy.name, outcome));
  const curves = (columns: number) => outcomes.map(({ policy, outcome }) => ({ name: policy.name, values: columnsOf(outcome, columns) }));
  const title = `Instances of ${traffic.functions.length} functions over ${(traffic.lengthMs / 60_000).toFixed(0)} min`;
  if (flags.svg !== undefined) writeFileSync(flags.svg, svgOf(curves(svgColumns), title, traffic.lengthMs));
  output.result({ seed: flags.seed, spread: flags.spread, starts: starts.model, policies: reports }, () =>
    [reportTable(reports), title, sparklines(curves(terminalColumns)), refusedText(outcomes)].filter(Boolean).join('\n\n'),
  );
}

function reportTable(reports: readonly SimulationReport[]): string {
  const head = ['POLICY', 'REQUESTS', 'COLD', 'THAWED', 'WAIT p50 ms', 'p99', 'INSTANCE s', '× IDEAL', 'WASTED GiB h', 'PEAK'];
  const rows = reports.map((report) => [
    report.policy,
    String(report.requests),
    String(report.cold),
    String(report.thawed),
    report.waitP50Ms.toFixed(1),
    report.waitP99Ms.toFixed(1),
    report.instanceSeconds.toFixed(0),
    report.overIdeal.toFixed(2),
    report.wastedGiBHours.toFixed(2),
    String(report.peakInstances),
  ]);
  return table(head, rows);
}

function refusedText(outcomes: readonly { readonly policy: { readonly name: string }; readonly outcome: Outcome }[]): string {
  const some = outcomes.filter(({ outcome }) => outcome.refused > 0);
  return some.map(({ policy, outcome }) => `${policy.name}: ${outcome.refused} requests found the queue full.`).join('\n');
}

function durationOf(flag: string, text: string): number {
  const parsed = durationSchema({ min: 0, max: 86_400_000 }).safeParse(text);
  if (parsed.success) return parsed.data;
  throw new SwiftletError('BadRequest', `${flag}: ${parsed.error.issues[0]?.message ?? 'is not valid'}`, { place: flag });
}

const optionalFile = (path: string | undefined): TextFile | undefined => (path === undefined ? undefined : fileAt(path));

function fileAt(path: string): TextFile {
  try {
    return { name: path, text: readFileSync(path, 'utf8') };
  } catch (error) {
    throw new SwiftletError('NotFound', `${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`, {
      place: path,
    });
  }
}
