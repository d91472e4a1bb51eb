/** The runtime for Python as the agent prepares and starts it, without a sandbox. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { preparePython } from '../../../src/agent/runtimes/python-runtime.ts';
import { runtimeCommand } from '../../../src/agent/sandbox/sandbox-driver.ts';
import type { InitReport, InitRequest, InvocationFailure } from '../../../src/wire/instance-protocol.ts';
import { RuntimeUnderTest } from '../runtime-under-test.ts';

export const python = '/usr/bin/python3';
export const fixtures = fileURLToPath(new URL('fixtures', import.meta.url));

const folder = mkdtempSync(join(tmpdir(), 'swiftlet-python-'));
process.once('exit', () => rmSync(folder, { recursive: true }));
const prepared = await preparePython(folder, python, (message) => {
  throw new Error(message);
});
const [, files] = prepared[0] ?? [];
if (files === undefined) throw new Error(`${python} cannot be used`);
/** Where the runtime's modules lie, compiled. */
export const runtimeFolder = files.folder;
const command = runtimeCommand('python', files.interpreter, files.folder, 128);

export class PythonUnderTest extends RuntimeUnderTest {
  constructor() {
    super(command);
  }

  /** @param handler relative to the fixtures, unless the request says where the code lies */
  override init(handler: string, request: Partial<InitRequest> & { codeDir?: string } = {}): Promise<InitReport | InvocationFailure> {
    return super.init(handler, { codeDir: fixtures, ...request });
  }
}

/** One that is initialised. */
export async function initialised(handler: string, request: Partial<InitRequest> = {}): Promise<PythonUnderTest> {
  const tested = new PythonUnderTest();
  const report = await tested.init(handler, request);
  if (!('initMs' in report)) throw new Error(JSON.stringify(report));
  return tested;
}
