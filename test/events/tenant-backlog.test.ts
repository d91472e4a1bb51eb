import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TenantBacklog } from '../../src/events/tenant-backlog.ts';

test('a tenant at its backlog is refused by name and value until an event has ended', () => {
  const backlog = new TenantBacklog();
  backlog.load([
    { tenant: 'acme', function: 'a', state: 'waiting', count: 2 },
    { tenant: 'acme', function: 'b', state: 'running', count: 1 },
    { tenant: 'acme', function: 'b', state: 'dead-lettered', count: 50 },
  ]);
  backlog.demandRoom('acme', 4);
  const leave = backlog.enter('acme');
  assert.throws(() => backlog.demandRoom('acme', 4), {
    code: 'QuotaExceeded',
    place: 'asyncBacklog',
    message: /quota "asyncBacklog" of 4 full: 4 events/,
  });
  backlog.demandRoom('acme', undefined);
  backlog.demandRoom('other', 1);
  leave();
  backlog.demandRoom('acme', 4);
  backlog.enter('acme');
  backlog.ended('acme');
  backlog.demandRoom('acme', 4);
});
