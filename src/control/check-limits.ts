import { SwiftletError } from '../model/errors.ts';
import type { FunctionConfig } from '../model/function.ts';

type Limited = Pick<FunctionConfig, 'maximum' | 'protect' | 'scale'>;

/**
 * Limits that cannot be met together: what a function wants at least, and never gets.
 * @param atOnce how many requests its tenant may have at once
 * @throws SwiftletError ManifestInvalid with the place
 */
export function checkLimits({ maximum, protect: { reservedConcurrency = 0 }, scale }: Limited, atOnce: number): void {
  if (reservedConcurrency > atOnce)
    throw refused(
      'protect.reservedConcurrency',
      `${reservedConcurrency} requests cannot be set aside of the ${atOnce} that its tenant may have at once; take fewer, or raise the quota "concurrency"`,
    );
  const { initial, schedules } = scale;
  const wants = [
    { member: 'initial', instances: initial },
    ...schedules.flatMap(({ minimum, target }, at) => [
      { member: `schedules.${at}.minimum`, instances: minimum ?? 0 },
      { member: `schedules.${at}.target`, instances: target ?? 0 },
    ]),
  ];
  for (const { member, instances } of wants)
    if (instances > maximum)
      throw refused(`scale.${member}`, `${instances} instances are over the function's "maximum" of ${maximum}; take fewer, or raise that`);
}

function refused(member: string, what: string): SwiftletError {
  const place = `config.${member}`;
  return new SwiftletError('ManifestInvalid', `${place}: ${what}`, { place });
}
