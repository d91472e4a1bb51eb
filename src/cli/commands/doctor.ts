import { hasSysAdmin, inspectIsolation } from '../../agent/isolation.ts';
import { openOutput } from '../output.ts';
import { exitCode } from '../exit-codes.ts';
import { isolationTable } from '../isolation-table.ts';

/** A host uid for the trial sandbox; nobody has it. */
const trialUid = 1_899_999_999;

export async function doctor({ json = false }: { json?: boolean }): Promise<void> {
  const output = openOutput(json);
  const report = await output.progress('looking at this machine', inspectIsolation(hasSysAdmin() ? trialUid : 0));
  output.result(report, () => isolationTable(report));
  if (report.mode !== 'bubblewrap') process.exitCode = exitCode.failed;
}
