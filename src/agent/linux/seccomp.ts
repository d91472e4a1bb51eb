/** The system calls a sandbox may make, compiled to a BPF program by libseccomp. */
import { mkdtempSync, openSync, closeSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import koffi from 'koffi';
import { allowedCalls, allowedSocketFamilies, refusedCloneFlags, terminalInjection, unknownToOldKernels } from './seccomp-policy.ts';

const actionAllow = 0x7fff0000;
const actionErrno = (errno: number) => 0x00050000 | errno;
const eperm = 1;
const enosys = 38;
const attributeBadArchitecture = 2;
const compareEqual = 4;
const compareMaskedEqual = 7;
const comparisonBytes = 24;

interface Comparison {
  readonly argument: number;
  readonly operator: number;
  readonly a: bigint;
  readonly b?: bigint;
}

function loadLibrary() {
  const library = koffi.load('libseccomp.so.2');
  return {
    init: library.func('void *seccomp_init(uint32_t action)') as (action: number) => unknown,
    release: library.func('void seccomp_release(void *filter)') as (filter: unknown) => void,
    setAttribute: library.func('int seccomp_attr_set(void *filter, int attribute, uint32_t value)') as (
      f: unknown,
      a: number,
      v: number,
    ) => number,
    resolve: library.func('int seccomp_syscall_resolve_name(const char *name)') as (name: string) => number,
    add: library.func(
      'int seccomp_rule_add_array(void *filter, uint32_t action, int call, uint32_t count, const uint8_t *comparisons)',
    ) as (filter: unknown, action: number, call: number, count: number, comparisons: Buffer | null) => number,
    export: library.func('int seccomp_export_bpf(void *filter, int fd)') as (filter: unknown, fd: number) => number,
  };
}

/**
 * Compiles the policy of seccomp-policy.ts for this machine.
 * @returns the BPF program, as `bwrap --seccomp` and seccomp(2) take it
 * @throws Error when libseccomp is not installed or refuses a rule
 */
export function compileSeccomp(): Buffer {
  const library = loadLibrary();
  const filter = library.init(actionErrno(eperm));
  const ok = (what: string, result: number) => {
    if (result < 0) throw new Error(`libseccomp refused ${what} with ${result}`);
  };
  const add = (action: number, name: string, comparisons: readonly Comparison[] = []) => {
    const call = library.resolve(name);
    // Calls that this architecture does not have need no rule.
    if (call < 0) return;
    ok(name, library.add(filter, action, call, comparisons.length, comparisons.length === 0 ? null : encode(comparisons)));
  };
  try {
    ok('the answer to foreign architectures', library.setAttribute(filter, attributeBadArchitecture, actionErrno(eperm)));
    for (const name of allowedCalls) add(actionAllow, name);
    for (const name of unknownToOldKernels) add(actionErrno(enosys), name);
    for (const family of allowedSocketFamilies) add(actionAllow, 'socket', [{ argument: 0, operator: compareEqual, a: BigInt(family) }]);
    add(actionAllow, 'clone', [{ argument: 0, operator: compareMaskedEqual, a: refusedCloneFlags, b: 0n }]);
    for (const bit of bitsOf32) add(actionAllow, 'ioctl', [{ argument: 1, ...differsIn(bit, terminalInjection) }]);
    return exportProgram((fd) => ok('the export', library.export(filter, fd)));
  } finally {
    library.release(filter);
  }
}

const bitsOf32 = Array.from({ length: 32 }, (_, at) => 1n << BigInt(at));

/**
 * A filter compares 64 bits, and the kernel takes the lower 32 of them for an ioctl's request: to be another request, one of those
 * has to differ.
 */
const differsIn = (bit: bigint, value: bigint) => ({ operator: compareMaskedEqual, a: bit, b: ~value & bit });

function encode(comparisons: readonly Comparison[]): Buffer {
  const bytes = Buffer.alloc(comparisons.length * comparisonBytes);
  comparisons.forEach(({ argument, operator, a, b = 0n }, index) => {
    const at = index * comparisonBytes;
    bytes.writeUInt32LE(argument, at);
    bytes.writeUInt32LE(operator, at + 4);
    bytes.writeBigUInt64LE(a, at + 8);
    bytes.writeBigUInt64LE(b, at + 16);
  });
  return bytes;
}

function exportProgram(write: (fd: number) => void): Buffer {
  const folder = mkdtempSync(join(tmpdir(), 'swiftlet-seccomp-'));
  const path = join(folder, 'program.bpf');
  try {
    const fd = openSync(path, 'w');
    try {
      write(fd);
    } finally {
      closeSync(fd);
    }
    return readFileSync(path);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
