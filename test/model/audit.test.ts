import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type AuditEntry, type AuditRecord, canonicalJson, ChainCheck, chained, genesis } from '../../src/model/audit.ts';

const entry = (target: string, change: Partial<AuditEntry> = {}): AuditEntry => ({
  time: '2026-01-02T03:04:05.000Z',
  tenant: 'default',
  actor: { kind: 'root', id: 'root' },
  source: '127.0.0.1',
  action: 'PUT /v1/functions/:name',
  target,
  requestId: 'r',
  result: { status: 201 },
  ...change,
});

function chain(...targets: string[]): AuditRecord[] {
  const records: AuditRecord[] = [];
  for (const target of targets) records.push(chained(entry(target), records.at(-1) ?? genesis));
  return records;
}

function breakIn(lines: readonly string[], anchor = genesis): { seq: number; what: string } | undefined {
  const check = new ChainCheck(anchor);
  for (const line of lines) {
    const broken = check.take(line);
    if (broken !== undefined) return broken;
  }
  return undefined;
}

describe('a chain of audit records', () => {
  const records = chain('/a', '/b', '/c', '/d');
  const lines = records.map(canonicalJson);
  const [first, second, third] = records as [AuditRecord, AuditRecord, AuditRecord, AuditRecord];

  it('holds from its beginning, and from any of its records', () => {
    assert.equal(breakIn(lines), undefined);
    assert.equal(breakIn(lines.slice(2), second), undefined);
    assert.deepEqual([first.previous, second.previous], [genesis.hash, first.hash]);
  });

  it('has the same hash for the same record, whatever the order of its members', () => {
    const again = Object.fromEntries(Object.entries(entry('/a')).reverse()) as AuditEntry;
    assert.equal(chained(again, genesis).hash, first.hash);
  });

  const forged = { ...second, result: { status: 403 } };
  const forgedEntry = entry('/b', { result: { status: 403 } });
  const cases: [what: string, lines: (string | undefined)[], seq: number, says: RegExp][] = [
    ['a record that was changed', [lines[0], canonicalJson(forged), lines[2]], 2, /was changed/],
    ['a record that was changed with its hash', [lines[0], canonicalJson(chained(forgedEntry, first)), lines[2]], 3, /does not follow/],
    ['a record that was taken out', [lines[0], lines[2], lines[3]], 2, /^it is missing$/],
    ['several records that were taken out', [lines[0], lines[3]], 2, /missing, and so are those up to 3/],
    ['a record that was put in twice', [lines[0], lines[0], lines[1]], 1, /second time/],
    ['what is no record', [lines[0], 'hello', lines[1]], 2, /no record/],
    ['a member that was added', [lines[0], JSON.stringify({ ...second, note: 'nothing' }), lines[2]], 2, /was changed/],
    ['another spelling', [lines[0], JSON.stringify({ ...second }, null, 1).replaceAll('\n', ' '), lines[2]], 2, /was changed/],
    ['a beginning that was cut off', [lines[1], lines[2]], 1, /missing/],
  ];
  for (const [what, given, seq, says] of cases)
    it(`is broken by ${what}`, () => {
      const broken = breakIn(given.map(String));
      assert.equal(broken?.seq, seq);
      assert.match(broken.what, says);
    });

  it('writes JSON in one way only (RFC 8785)', () => {
    assert.equal(
      canonicalJson({ b: [1, { d: null, c: 'ü\u2028' }], a: undefined, é: true }),
      '{"b":[1,{"c":"ü\u2028","d":null}],"é":true}',
    );
    assert.equal(third.seq, 3);
  });
});
