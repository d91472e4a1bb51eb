/** Why a function has as many instances as it has, for people. */
import type { ScaleConfig } from '../model/scale.ts';
import type { ScalingView } from '../wire/scale-calls.ts';
import { table } from './table.ts';

const unitOf: Readonly<Record<ScalingView['signal'], string>> = {
  concurrency: 'requests at once',
  qps: 'requests/s',
  cpu: 'processors',
  memory: 'instances’ memory',
  lag: 'messages',
};

/** One row for each version that has something to do; nothing when none has. */
export function scalingTable(views: readonly ScalingView[]): string | undefined {
  if (views.length === 0) return undefined;
  const rows = views.map((view) => [String(view.version), String(view.running), targetText(view), String(view.wanted), whyText(view)]);
  return table(['VERSION', 'INSTANCES', 'TARGET', 'WANTED', 'WHY'], rows);
}

const targetText = ({ target }: ScalingView): string => (target === 0 ? 'as requests come' : String(target));

function whyText({ signal, window, load, perInstance, limitedBy }: ScalingView): string {
  const mean = `${shown(load)} ${unitOf[signal]} (${window} window), ${shown(perInstance)} for each instance`;
  return limitedBy === undefined ? mean : `${mean}; limited by: ${limitedBy}`;
}

const shown = (value: number): string => (value >= 100 ? value.toFixed(0) : value.toFixed(2));

/** The settings that the function names, or that have a default worth knowing. */
export function scaleFacts({ thresholds, outAtPercent, schedules, ...rest }: ScaleConfig): string[][] {
  const named = Object.entries(thresholds).map(([signal, value]) => `${value} ${unitOf[signal as ScalingView['signal']]}`);
  return [
    ['scale', `at ${outAtPercent} % of ${named.join(', ') || 'its concurrency'}`],
    ...Object.entries(rest).map(([key, value]) => [`scale.${key}`, String(value)]),
    ...schedules.map(({ expression, timeZone, forMs, ...numbers }) => [
      'scale.schedule',
      `${expression} (${timeZone}) for ${forMs / 1000} s: ${Object.entries(numbers)
        .map(([what, value]) => `${what} ${value}`)
        .join(', ')}`,
    ]),
  ];
}
