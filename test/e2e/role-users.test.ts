/** As whom the platform's processes run, where they listen, and that its token stays where it is. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join, relative } from 'node:path';
import { after, before, test } from 'node:test';
import { processTree } from '../../bench/processes.ts';
import { type E2e, eventually, openE2e } from './functions.ts';
import { needsRoot } from './needs.ts';
import { killRole } from './platform-processes.ts';

let e2e: E2e;
before(async () => {
  e2e = await openE2e();
  await e2e.publish(
    'says',
    'export const handler = (e) => { console.log("said"); if (e.rawPath === "/throw") throw new Error("x"); if (e.rawPath === "/exit") process.exit(1); return "said"; };',
  );
  await e2e.call('/says/');
});
after(() => e2e[Symbol.asyncDispose]());

const tree = () => processTree(e2e.platform.pid);
const uidsOf = (pid: number): string[] => /^Uid:\t(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]?.split('\t') ?? [];

test('only the agent and its launcher run as root, each other role and the resolver as a user of its own', { skip: needsRoot }, () => {
  const supervisor = e2e.platform.pid;
  const roles = tree().filter(({ pid, title }) => pid !== supervisor && title.startsWith('swiftlet '));
  const users = new Map(roles.map(({ pid, title }) => [title, uidsOf(pid)]));
  const asRoot = [...users].filter(([, uids]) => uids.includes('0')).map(([title]) => title);
  assert.deepEqual(asRoot.toSorted(), ['swiftlet agent', 'swiftlet launcher']);
  const others = [...users].filter(([title]) => !asRoot.includes(title));
  assert.deepEqual(others.map(([title]) => title).toSorted(), [
    'swiftlet control',
    'swiftlet events',
    'swiftlet gateway',
    'swiftlet relay',
    'swiftlet resolver',
  ]);
  // Real, effective, saved and that of files: the same one, and nobody else's.
  for (const [title, uids] of others) assert.equal(new Set(uids).size, 1, title);
  assert.equal(new Set(others.map(([, [uid]]) => uid)).size, others.length);
});

/** Addresses that the platform's processes listen on, as the kernel writes them, with their ports. */
function listening(): string[] {
  const sockets = new Set(tree().flatMap(({ pid }) => linksIn(`/proc/${pid}/fd`)));
  return ['tcp', 'tcp6', 'udp', 'udp6'].flatMap((name) =>
    readFileSync(`/proc/${e2e.platform.pid}/net/${name}`, 'utf8')
      .trimEnd()
      .split('\n')
      .slice(1)
      .map((row) => row.trim().split(/\s+/))
      // LISTEN; a UDP socket has no such state.
      .filter((fields) => (name.startsWith('udp') || fields[3] === '0A') && sockets.has(`socket:[${fields[9] ?? ''}]`))
      .map((fields) => `${name} ${fields[1] ?? ''}`),
  );
}

function linksIn(folder: string): string[] {
  try {
    return readdirSync(folder).map((name) => readlinkSync(join(folder, name)));
  } catch {
    // Of a process that has ended meanwhile.
    return [];
  }
}

test('everything listens on 127.0.0.1 only', () => {
  const { gatewayUrl, apiUrl, lambdaUrl } = e2e.platform;
  const hex = (url: string) => Number(new URL(url).port).toString(16).toUpperCase().padStart(4, '0');
  assert.deepEqual(listening().toSorted(), [gatewayUrl, apiUrl, lambdaUrl].map((url) => `tcp 0100007F:${hex(url)}`).toSorted());
});

test('the token is in no file but its own, in no log, and in no process’s arguments or environment', async () => {
  const { token, home, apiUrl } = e2e.platform;
  for (const path of ['/says/throw', '/says/exit', '/nobody/', '/_/nothing']) await e2e.call(path);
  // Shown rightly, wrongly cut, and in places where it does not belong.
  const headers = { authorization: `Bearer ${token}` };
  assert.equal((await fetch(`${apiUrl}/v1/functions/nobody`, { headers })).status, 404);
  assert.equal((await fetch(`${apiUrl}/v1/functions`, { headers, method: 'PUT', body: '{' })).status, 405);
  assert.equal((await e2e.call('/_/invoke/says', { method: 'POST', body: '{"rawPath":"/throw"}', headers })).status, 502);
  assert.equal(
    (await e2e.call('/_/invoke/says', { method: 'POST', body: '{}', headers: { ...headers, prefer: 'respond-async' } })).status,
    202,
  );
  for (const role of ['control', 'gateway', 'agent']) await killRole(e2e.platform, role);
  await eventually(
    () => e2e.log('says'),
    (records) => records.filter(({ level }) => level === 'error').length >= 2,
  );
  const files = filesBelow(home);
  assert.ok(files.some((path) => path.endsWith('bench.log')) && files.some((path) => path.includes('/says/')), files.join(' '));
  assert.deepEqual(
    files.filter((path) => readFileSync(path).includes(token)).map((path) => relative(home, path)),
    ['token'],
  );
  for (const { pid, title } of tree()) {
    for (const part of ['cmdline', 'environ']) assert.ok(!contentOf(`/proc/${pid}/${part}`).includes(token), `${part} of ${title}`);
  }
});

const filesBelow = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));

function contentOf(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch {
    return Buffer.alloc(0);
  }
}
