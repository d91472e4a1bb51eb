import { connectApi } from '../connect-api.ts';
import { openOutput } from '../output.ts';
import { table } from '../table.ts';

export interface UsageFlags {
  readonly days: number;
  readonly json?: boolean;
}

/** Shows what functions used, by function and day. @param name only this one's; also of one that was removed */
export async function usage(name: string | undefined, { days, json = false }: UsageFlags): Promise<void> {
  const output = openOutput(json);
  const used = await output.progress('adding up', connectApi(process.env).usage(name, days));
  output.result(used.usage, () => {
    if (used.usage.length === 0) return `No invocations${name === undefined ? '' : ` of ${name}`} in the last ${days} days.`;
    const shown = table(
      ['DAY', 'FUNCTION', 'INVOCATIONS', 'COLD', 'THAWED', 'AWAKENED', 'PROVISIONED', 'GB-SECONDS', 'BILLED s', 'PLATFORM s', 'PREPAID s'],
      used.usage.map((row) => [
        row.day,
        row.function,
        String(row.invocations),
        String(row.coldStarts),
        String(row.thawed),
        String(row.awakened),
        String(row.provisioned),
        row.gbSeconds.toFixed(3),
        ...[row.billedMs, row.platformMs, row.prepaidMs].map(seconds),
      ]),
    );
    return used.complete ? shown : `${shown}\nThere are more: name a function, or fewer --days.`;
  });
}

const seconds = (ms: number): string => (ms / 1000).toFixed(3);
