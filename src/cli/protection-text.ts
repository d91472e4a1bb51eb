/** What protects a function, for people. */
import type { ProtectionConfig } from '../model/protection.ts';

/** One row for each part that there is. */
export function protectionFacts({ rates, reservedConcurrency, breaker, fallback, outliers }: ProtectionConfig): string[][] {
  return [
    ...rates.map(({ perSecond, burst, key }) => ['protect.rate', `${perSecond}/s, burst ${burst}${keyText(key)}`]),
    ...(reservedConcurrency === undefined ? [] : [['protect.reserved', `${reservedConcurrency} requests at once`]]),
    ...(breaker === undefined
      ? []
      : [
          [
            'protect.breaker',
            `at ${breaker.errorPercent} % of ${breaker.leastRequests} requests in ${breaker.windowMs} ms, for ${breaker.openMs} ms`,
          ],
        ]),
    ...(fallback === undefined ? [] : [['protect.fallback', `${fallbackText(fallback)} on ${fallback.on.join(', ')}`]]),
    ['protect.outliers', outliers],
  ];
}

function keyText(key: ProtectionConfig['rates'][number]['key']): string {
  if (key === undefined) return '';
  return 'header' in key ? `, each ${key.header}` : ', each address';
}

function fallbackText(fallback: NonNullable<ProtectionConfig['fallback']>): string {
  switch (fallback.kind) {
    case 'answer':
      return `answer ${fallback.status}`;
    case 'function':
      return `function ${fallback.function}`;
    case 'last-good':
      return `the last good answer, up to ${fallback.maximumAgeMs / 1_000} s old,`;
  }
}
