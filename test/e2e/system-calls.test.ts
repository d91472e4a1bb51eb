/** The kernel as hostile code sees it: every system call that the policy does not name is tried from inside a real sandbox. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import koffi from 'koffi';
import { hasSysAdmin } from '../../src/agent/isolation.ts';
import { allowedCalls, terminalInjection, unknownToOldKernels } from '../../src/agent/linux/seccomp-policy.ts';
import { type E2e, openE2e } from './functions.ts';

const skip = hasSysAdmin() ? false : 'full isolation needs root';
const [eperm, enosys] = [1, 38];
/** uretprobe and uprobe of x86-64: the kernel asks no filter for them, and kills who calls them by himself (SIGILL). */
const fatal = process.arch === 'x64' ? [335, 336] : [];
/** Above the last call that any kernel has. */
const callNumbers = 600;

let e2e: E2e;
before(async () => {
  if (skip !== false) return;
  e2e = await openE2e();
  // Perl is on every Debian, and calls the kernel by number. It says what each call came to: 0, or the error's number.
  const script =
    'for my $line (split /\\n/, $ENV{CALLS}) { my ($n, @a) = map { int } split / /, $line; $! = 0; my $r = syscall($n, @a, (0) x (6 - @a)); print(($r == -1 ? $!+0 : 0), "\\n"); }';
  await e2e.publish(
    'kernel',
    `import { spawnSync } from 'node:child_process';
    export const handler = ({ calls }) => spawnSync('/usr/bin/perl', ['-e', ${JSON.stringify(script)}], { env: { CALLS: calls.map((call) => call.join(' ')).join('\\n') }, encoding: 'utf8' });`,
  );
});
after(() => (skip === false ? e2e[Symbol.asyncDispose]() : undefined));

/** Calls the kernel from inside a sandbox. @returns an error's number for each call, 0 for success */
async function tried(calls: readonly (readonly (number | bigint)[])[]): Promise<number[]> {
  const { json, text } = await e2e.call('/_/invoke/kernel', {
    method: 'POST',
    body: JSON.stringify({ calls: calls.map((call) => call.map(String)) }),
    headers: { authorization: `Bearer ${e2e.platform.token}` },
  });
  assert.equal(json['status'], 0, text);
  return String(json['stdout']).trim().split('\n').map(Number);
}

const seccomp = koffi.load('libseccomp.so.2');
const nativeArchitecture = 0;
const nameOf = seccomp.func('char *seccomp_syscall_resolve_num_arch(uint32_t arch, int number)') as (a: number, n: number) => string | null;
const numberOf = seccomp.func('int seccomp_syscall_resolve_name(const char *name)') as (name: string) => number;

const conditional = ['socket', 'clone', 'ioctl'];
const refused = Array.from({ length: callNumbers }, (_, number) => ({ number, name: nameOf(nativeArchitecture, number) })).filter(
  ({ name }) => name === null || ![...allowedCalls, ...conditional].includes(name),
);

test('all that the threat model names is among the refused', () => {
  const names = refused.map(({ name }) => name);
  const named =
    'ptrace process_vm_readv process_vm_writev bpf perf_event_open io_uring_setup io_uring_enter io_uring_register userfaultfd keyctl add_key request_key mount umount2 move_mount fsopen fsmount open_tree mount_setattr pivot_root chroot unshare setns mknodat open_by_handle_at name_to_handle_at kexec_load kexec_file_load init_module finit_module delete_module clock_settime clock_adjtime settimeofday adjtimex reboot swapon swapoff sethostname setdomainname acct quotactl syslog personality clone3 seccomp landlock_create_ruleset memfd_secret process_madvise kcmp pidfd_getfd';
  for (const name of named.split(' ')) assert.ok(names.includes(name), name);
});

test('every call off the list is refused, and numbers without a call too', { skip }, async () => {
  const safe = refused.filter(({ number }) => !fatal.includes(number));
  const errors = await tried(safe.map(({ number }) => [number]));
  const passed = safe.filter(({ name }, at) => {
    const unknown = unknownToOldKernels.some((call) => call === name);
    return errors[at] !== (unknown ? enosys : eperm);
  });
  assert.equal(errors.length, safe.length);
  assert.deepEqual(passed, []);
});

test('sockets of other families, namespaces by clone, characters into a terminal', { skip }, async () => {
  const [socket, clone, ioctl] = conditional.map(numberOf) as [number, number, number];
  const families = Array.from({ length: 46 }, (_, family) => family).filter((family) => ![1, 2, 10, 16].includes(family));
  const newNamespaces = [0x0002_0000, 0x0200_0000, 0x0400_0000, 0x0800_0000, 0x1000_0000, 0x2000_0000, 0x4000_0000];
  const calls = [
    ...families.map((family) => [socket, family, 3]),
    ...newNamespaces.map((flag) => [clone, flag | 17]),
    [ioctl, 0, terminalInjection],
    // The kernel looks at the lower half of the number only.
    [ioctl, 0, terminalInjection | (1n << 32n)],
    [ioctl, 0, terminalInjection | (0x7fff_ffffn << 32n)],
    [socket, (1n << 32n) | 17n, 3],
    [clone, (1n << 32n) | 0x1000_0011n],
  ];
  const errors = await tried(calls);
  assert.deepEqual(
    calls.filter((_, at) => errors[at] !== eperm),
    [],
  );
});

test('other requests to a terminal are not refused', { skip }, async () => {
  const getWindowSize = 0x5413;
  const [error] = await tried([[numberOf('ioctl'), 0, getWindowSize]]);
  assert.notEqual(error, eperm);
});

/** An x86-64 program that asks for its number by the 32-bit entry (int 0x80) and exits with the negated answer. */
function program(): Buffer {
  const [base, headerBytes] = [0x40_0000, 64 + 56];
  const code = Buffer.from('b814000000' + 'cd80' + '89c7' + 'f7df' + 'b83c000000' + '0f05', 'hex');
  const header = Buffer.alloc(headerBytes);
  header.write('7f454c46020101', 0, 'hex');
  header.writeUInt16LE(2, 16); // an executable
  header.writeUInt16LE(62, 18); // for x86-64
  header.writeUInt32LE(1, 20);
  header.writeBigUInt64LE(BigInt(base + headerBytes), 24); // its first instruction
  header.writeBigUInt64LE(64n, 32); // where the program headers begin
  header.writeUInt16LE(64, 52);
  header.writeUInt16LE(56, 54);
  header.writeUInt16LE(1, 56);
  header.writeUInt32LE(1, 64); // a segment to load
  header.writeUInt32LE(5, 68); // readable, executable
  header.writeBigUInt64LE(BigInt(base), 80);
  header.writeBigUInt64LE(BigInt(headerBytes + code.length), 96);
  header.writeBigUInt64LE(BigInt(headerBytes + code.length), 104);
  header.writeBigUInt64LE(4096n, 112);
  return Buffer.concat([header, code]);
}

if (process.arch === 'x64') {
  const asked = (exit: { status: number | null; signal: string | null }) =>
    exit.signal === null && exit.status !== eperm && exit.status !== enosys;

  test('the 32-bit entry is closed', { skip }, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'swiftlet-elf-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const path = join(folder, 'program');
    writeFileSync(path, program());
    chmodSync(path, 0o755);
    const outside = spawnSync(path);
    assert.ok(asked(outside) || outside.signal === 'SIGSEGV', 'the program is wrong, or this kernel has no such entry');
    await e2e.publish(
      'old-entry',
      `import fs from 'node:fs'; import { spawnSync } from 'node:child_process';
      export const handler = () => { fs.writeFileSync('/tmp/p', Buffer.from('${program().toString('base64')}', 'base64'), { mode: 0o755 }); const { status, signal, error } = spawnSync('/tmp/p'); return { status, signal, error: error?.code }; };`,
    );
    const { json } = await e2e.call('/old-entry/');
    assert.equal(json['error'], undefined);
    assert.ok(!asked(json as { status: number | null; signal: string | null }), JSON.stringify(json));
  });

  test('calls by the numbers of x32 are refused', { skip }, async () => {
    const bit = 0x4000_0000;
    const errors = await tried([0, 39, 101, 512, 520, 521].map((number) => [bit + number]));
    assert.ok(
      errors.every((error) => error === eperm || error === enosys),
      String(errors),
    );
  });
}
