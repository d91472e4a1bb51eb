import type { AuditRecord } from '../../model/audit.ts';
import { connectApi } from '../connect-api.ts';
import { lastRecords, recordsAfter, type Verified, verifyAudit } from '../audit-calls.ts';
import { colours } from '../colours.ts';
import { exitCode } from '../exit-codes.ts';
import { openOutput } from '../output.ts';
import { printable } from '../printable.ts';

export interface AuditFlags {
  readonly follow?: boolean;
  readonly verify?: boolean;
  readonly lines: number;
  readonly json?: boolean;
}

export async function audit({ follow = false, verify = false, lines, json = false }: AuditFlags): Promise<void> {
  const api = connectApi(process.env);
  if (verify) {
    const output = openOutput(json);
    const verified = await output.progress('verifying', verifyAudit(api));
    output.result(verified, () => verifiedText(verified));
    if (!verified.intact) process.exitCode = exitCode.failed;
    return;
  }
  // To stop following is how it is meant to end.
  if (follow) process.once('SIGINT', () => process.exit(exitCode.ok));
  let page = await lastRecords(api, lines);
  for (;;) {
    for (const record of page.records) process.stdout.write(`${json ? JSON.stringify(record) : readable(record)}\n`);
    if (!follow) return;
    page = await recordsAfter(api, page.next);
  }
}

function readable({ seq, time, tenant, actor, source, action, target, result, times, note }: AuditRecord): string {
  const who = actor.kind === 'nobody' ? 'nobody' : `${actor.kind} ${printable(actor.id)}`;
  const ended = `${result.status}${result.code === undefined ? '' : ` ${result.code}`}`;
  const method = action.split(' ')[0] ?? '';
  const more = [times === undefined ? '' : `${times} times`, note ?? ''].filter((text) => text !== '').join(', ');
  const paint = result.status >= 400 ? colours.red : colours.green;
  const from = colours.dim(`from ${source === '' ? 'itself' : source}, ${tenant}:`);
  const did = `${method} ${printable(target)} ${paint(ended)}${more === '' ? '' : ` (${printable(more)})`}`;
  return `${colours.dim(`${String(seq).padStart(6)} ${time}`)} ${who} ${from} ${did}`;
}

function verifiedText({ intact, records, anchor, head, breaks }: Verified): string {
  const what = `${records} records, ${anchor.seq + 1} to ${head.seq}; the hash of the last is ${head.hash}`;
  if (intact) return `${colours.green('The audit records are intact:')} ${what}`;
  const places = breaks.map(({ where, seq, what: wrong }) => `  in the ${where}, record ${seq}: ${wrong}`);
  return [colours.red('The audit records were changed by somebody else:'), ...places].join('\n');
}
