import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { errorKinds } from '../../src/model/errors.ts';

const page = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8');

/** The page's table: code, status, whose fault, retryable, cause, remedy. */
const rows = [...page.matchAll(/^\| `(\w+)` \| (.+) \|$/gm)].map(([, code = '', rest = '']) => [code, ...rest.split(' | ')]);

test('docs/errors.md has every error code once, and no other', () => {
  assert.deepEqual(rows.map(([code]) => code).toSorted(), Object.keys(errorKinds).toSorted());
});

for (const [code, kind] of Object.entries(errorKinds)) {
  test(`docs/errors.md tells the truth about ${code}`, () => {
    const [, status, fault, again, cause, remedy] = rows.find((row) => row[0] === code) ?? [];
    assert.deepEqual({ status, fault, again }, { status: String(kind.status), fault: kind.fault, again: kind.retryable ? 'yes' : 'no' });
    assert.match(cause ?? '', /\w.*\.$/, 'a cause');
    assert.match(remedy ?? '', /\w.*\.$/, 'a remedy');
  });
}
