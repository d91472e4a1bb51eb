/** 10 GB of output in each form, and 10 GB of one answer: what the platform takes of memory does not depend on it. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openBystander } from '../test/e2e/bystander.ts';
import { answerWithoutEnd, outputForms, outputWithoutEnd, publishFloods } from '../test/e2e/floods.ts';
import { type E2e, openE2e } from '../test/e2e/functions.ts';
import type { Memory } from '../test/e2e/platform-memory.ts';

const allMiB = 10 * 1024;
const grownAtMostMiB = 32;
let e2e: E2e;
let beside: Awaited<ReturnType<typeof openBystander>>;
let afterWarmUp: Memory;
before(async () => {
  e2e = await openE2e();
  beside = await openBystander(e2e);
  afterWarmUp = await publishFloods(e2e);
});
after(() => e2e[Symbol.asyncDispose]());

for (const form of outputForms) {
  test(`10 GB of output (${form})`, async (t) => {
    const { mebibytes, role, marks } = await outputWithoutEnd(e2e, beside, afterWarmUp, form, allMiB);
    t.diagnostic(`${role} grew by ${mebibytes} MiB; ${marks} marks say what was cut`);
    assert.ok(marks > 0);
    assert.ok(mebibytes <= grownAtMostMiB, `${role} grew by ${mebibytes} MiB`);
  });
}

for (const reader of ['fast', 'none'] as const) {
  test(`an answer of 10 GB (caller: ${reader})`, async (t) => {
    const { mebibytes, role } = await answerWithoutEnd(e2e, beside, afterWarmUp, reader, allMiB);
    t.diagnostic(`${role} grew by ${mebibytes} MiB`);
    assert.ok(mebibytes <= grownAtMostMiB, `${role} grew by ${mebibytes} MiB`);
  });
}
