import { nodeLanguage } from '../benched-language.ts';
import { emptyPoolStarts } from '../empty-pool-starts.ts';
import type { Scenario } from '../scenario.ts';

export const coldEmptyPool: Scenario = {
  name: 'cold-empty-pool',
  title: 'cold start with an empty pool',
  byDefault: true,
  run: (context) => emptyPoolStarts(context, nodeLanguage, { p50: 1.5 }),
};
