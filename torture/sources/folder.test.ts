/** A hundred thousand messages: files of a folder, which may have no more. */
import { test } from 'node:test';
import { folderWithFiles } from '../../test/e2e/ledger-brokers.ts';
import { sourceLedger } from '../../test/e2e/source-ledger.ts';

test('a folder: of a hundred thousand files none is lost', async (t) => {
  await using folder = folderWithFiles();
  await sourceLedger(t, folder, { messages: 100_000, failing: 5, limitMs: 600_000, source: { batchSize: 100 } });
});
