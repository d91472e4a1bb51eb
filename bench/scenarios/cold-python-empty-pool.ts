import { pythonLanguage } from '../benched-language.ts';
import { emptyPoolStarts } from '../empty-pool-starts.ts';
import type { Scenario } from '../scenario.ts';

export const coldPythonEmptyPool: Scenario = {
  name: 'cold-python-empty-pool',
  title: 'cold start in Python with an empty pool',
  byDefault: true,
  run: (context) => emptyPoolStarts(context, pythonLanguage, { p50: 6 }),
};
