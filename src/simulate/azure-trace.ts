/**
 * Traffic in the format of the Azure Functions trace of 2019: requests of each minute by function, and in files beside it how long they
 * took and how much memory they had (Shahrad et al., "Serverless in the Wild", USENIX ATC 2020;
 * https://github.com/Azure/AzurePublicDataset).
 */
import { columnOf, type Csv, numberAt, parseCsv } from './csv.ts';
import type { Quantile, SimulatedFunction, Traffic } from './traffic.ts';

const functionTitle = 'HashFunction';
/** Before the minutes' columns there are four that name the function. */
const namedBy = ['HashOwner', 'HashApp', functionTitle, 'Trigger'] as const;
const percentileTitle = /^percentile_Average_(\d+)$/;
const memoryTitle = 'AverageAllocatedMb';
const minuteMs = 60_000;
const percent = 100;

export interface TextFile {
  readonly name: string;
  readonly text: string;
}

/** What functions have that no file tells of. */
export interface Assumed {
  readonly durations: readonly Quantile[];
  readonly memoryMiB: number;
}

export const isAzureTrace = ({ head }: Csv): boolean => namedBy.every((title, at) => head[at] === title);

/** @throws SwiftletError BadRequest with the file, the line and the remedy */
export function readAzureTrace(
  invocations: Csv,
  files: { readonly durations: TextFile | undefined; readonly memory: TextFile | undefined },
  assumed: Assumed,
): Traffic {
  const durations = files.durations === undefined ? new Map<string, Quantile[]>() : durationsOf(files.durations);
  const memory = files.memory === undefined ? new Map<string, number>() : memoryOf(files.memory);
  const functions: SimulatedFunction[] = [];
  for (const row of invocations.rows()) {
    const [, app = '', name = ''] = row.values;
    const counts = invocations.head.slice(namedBy.length).map((title, at) => numberAt(row, namedBy.length + at, `minute ${title}`));
    functions.push({
      name,
      requests: { kind: 'minutes', counts },
      durations: durations.get(name) ?? assumed.durations,
      memoryMiB: memory.get(name) ?? memory.get(app) ?? assumed.memoryMiB,
    });
  }
  return { functions, lengthMs: (invocations.head.length - namedBy.length) * minuteMs };
}

function durationsOf({ name, text }: TextFile): Map<string, Quantile[]> {
  const csv = parseCsv(text, name);
  const key = columnOf(csv, functionTitle, name);
  const percentiles = csv.head.flatMap((title, column) => {
    const share = percentileTitle.exec(title)?.[1];
    return share === undefined ? [] : [{ column, title, share: Number(share) / percent }];
  });
  percentiles.sort((one, other) => one.share - other.share);
  return new Map(
    [...csv.rows()].map((row) => [
      row.values[key] ?? '',
      percentiles.map(({ column, title, share }) => ({ share, ms: numberAt(row, column, title) })),
    ]),
  );
}

/** By function where the file has them, else by application. */
function memoryOf({ name, text }: TextFile): Map<string, number> {
  const csv = parseCsv(text, name);
  const key = csv.head.includes(functionTitle) ? columnOf(csv, functionTitle, name) : columnOf(csv, 'HashApp', name);
  const column = columnOf(csv, memoryTitle, name);
  return new Map([...csv.rows()].map((row) => [row.values[key] ?? '', numberAt(row, column, memoryTitle)]));
}
