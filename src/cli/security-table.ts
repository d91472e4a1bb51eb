import type { Security } from './audit-calls.ts';
import { colours } from './colours.ts';
import { table } from './table.ts';

const shown = 10;

type Row = [guard: string, isGood: boolean, detail: string];

/** Whether nothing of it needs an operator at once. */
export const isInOrder = ({ audit: { verified }, tokens, certificates }: Security): boolean =>
  verified?.intact !== false && tokens.expiring.every(({ expired }) => !expired) && certificates.every(({ overdue }) => !overdue);

/** Which guards of a platform are in force, and what is to be looked at. */
export function securityTable(security: Security): string {
  const { isolation, agents, egress, openFunctions, tokens, rootKey, certificates, audit } = security;
  const { verified } = audit;
  const rows: Row[] = [
    ['isolation', isolation !== undefined && isolation.mode !== 'process', isolation?.mode ?? 'unknown: the agent is away'],
    ...(agents === undefined ? [] : [['agents', agents.ready, agents.detail] satisfies Row]),
    ['egress', egress.enforcement === 'policy' || egress.enforcement === 'closed', egressText(egress)],
    ['functions open to all', openFunctions.count === 0, openText(openFunctions)],
    ['tokens', tokens.expiring.length === 0, tokensText(tokens)],
    ['root key', rootKey.older.length === 0, rootKeyText(rootKey)],
    ['certificates', certificates.every(({ overdue }) => !overdue), certificatesText(certificates)],
    ['audit records', verified?.intact === true, auditText(verified)],
  ];
  return table(
    ['GUARD', '', ''],
    rows.map(([guard, isGood, detail]) => [guard, isGood ? colours.green('good') : colours.yellow('look'), detail]),
  );
}

function egressText({ enforcement, detail, opened, functions: { none, internet, lists } }: Security['egress']): string {
  const said = `${enforcement}: ${detail}`;
  if (enforcement !== 'policy') return said;
  const open = opened.length === 0 ? '' : `\n${opened.join(', ')} opened to all of them by the operator`;
  return `${said}\nfunctions that reach nothing: ${none}, by lists: ${lists}, the internet: ${internet}${open}`;
}

function openText({ count, first }: Security['openFunctions']): string {
  if (count === 0) return 'none';
  const names = first.slice(0, shown).map((one) => `${one.tenant}/${one.function}`);
  return `${count}: ${names.join(', ')}${count > names.length ? ', …' : ''}; "url: token" in the manifest closes one`;
}

function tokensText({ count, expiring, endless }: Security['tokens']): string {
  const soon = expiring.slice(0, shown).map(({ id, expiresAt, expired }) => `${id} ${expired ? 'has ended' : 'ends'} ${expiresAt}`);
  return [`${count}, ${endless} without an end`, ...soon].join('\n');
}

function rootKeyText({ source, id, older }: Security['rootKey']): string {
  const from = { file: 'a file', environment: 'SWIFTLET_ROOT_KEY', command: 'SWIFTLET_ROOT_KEY_COMMAND' }[source] ?? source;
  const more = older.length === 0 ? '' : `; nothing needs the older ${older.join(', ')} any more: take them out`;
  return `${id}, from ${from}${more}`;
}

function certificatesText(certificates: Security['certificates']): string {
  if (certificates.length === 0) return 'none: all roles are on one host';
  return certificates
    .map(({ role, host, endsAt, overdue }) => `${role} (${host}) ${overdue ? 'should have been renewed; it ends' : 'until'} ${endsAt}`)
    .join('\n');
}

function auditText(verified: Security['audit']['verified']): string {
  if (verified === undefined) return 'being verified';
  if (verified.intact) return `${verified.records}, intact at ${verified.at}`;
  return verified.breaks.map(({ where, seq, what }) => `in the ${where}, record ${seq}: ${what}`).join('\n');
}
