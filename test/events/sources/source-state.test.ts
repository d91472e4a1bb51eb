import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openPauseMs } from '../../../src/events/sources/source-state.ts';

const cases: readonly (readonly [failures: number, code: string, chance: number, pauseMs: number])[] = [
  [1, 'SourceUnreachable', 1, 250],
  [1, 'SourceUnreachable', 0, 125],
  [3, 'SourceUnreachable', 1, 1_000],
  [40, 'SourceUnreachable', 1, 30_000],
  [40, 'Internal', 1, 30_000],
  [40, 'SourceRefused', 1, 60_000],
  [40, 'SourceMissing', 0.5, 45_000],
  [2_000, 'SourceInvalid', 0, 30_000],
];
for (const [failures, code, chance, pauseMs] of cases)
  test(`after ${failures} failures, the last ${code}, a source is left alone for ${pauseMs} ms at a chance of ${chance}`, () =>
    assert.equal(openPauseMs(failures, code, chance), pauseMs));
