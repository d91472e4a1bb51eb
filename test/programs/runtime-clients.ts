/** Functions with AWS's own clients of the Runtime API, of pinned versions, fetched and built once from the registries of their languages. */
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { goProgram } from '../brokers/go-program.ts';
import { builtFolder, filesIn, runTool } from './built.ts';
import { javaTools } from './missing-tools.ts';

const programs = fileURLToPath(new URL('.', import.meta.url));
const nodeHeaders = fileURLToPath(new URL(`../../node_modules/node-linux-${process.arch}/include/node`, import.meta.url));

/** A bundle of such a function: its files by path. */
export type ClientBundle = Readonly<Record<string, string | Buffer>>;

export const runtimeClients: Readonly<Record<'bash' | 'go' | 'rust' | 'node' | 'python' | 'java', () => Promise<ClientBundle>>> = {
  bash: () => Promise.resolve({ bootstrap: readFileSync(join(programs, 'bootstrap.sh'), 'utf8') }),
  go: async () => ({ bootstrap: readFileSync(await goProgram(new URL('go-function', import.meta.url), '.')) }),
  rust: () => bundleOf('rust-function', buildRust),
  node: () => bundleOf('node-client', buildNode),
  python: () => bundleOf('python-client', buildPython),
  java: () => bundleOf('java-client', buildJava),
};

/** What the machine needs for each, beside what all tests need. */
export const clientTools: Readonly<Record<keyof typeof runtimeClients, readonly string[]>> = {
  bash: ['curl'],
  go: ['go'],
  rust: ['cargo'],
  node: ['g++', '/usr/bin/curl-config', 'xz'],
  python: ['/usr/bin/pip3'],
  java: javaTools,
};

/** One after the other: each build takes all processors. What cannot be built is said, and said again by the tests that need it. */
export async function prepareRuntimeClients(): Promise<void> {
  for (const [name, build] of Object.entries(runtimeClients))
    await build().catch((error: unknown) => process.stderr.write(`the runtime client of ${name} is missing: ${String(error)}\n`));
}

async function bundleOf(name: string, build: (source: string, folder: string) => Promise<void>): Promise<ClientBundle> {
  const source = join(programs, name);
  const folder = await builtFolder(source, (half) => build(source, half));
  return Object.fromEntries(filesIn(folder).map((file) => [relative(folder, file), readFileSync(file)]));
}

/** The crates stay compiled where Cargo keeps them fetched, too: in the user's home. Cargo itself knows what of them is to be compiled again. */
async function buildRust(source: string, folder: string): Promise<void> {
  const target = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'swiftlet-tests', basename(source));
  await runTool('cargo', ['build', '--locked', '--quiet'], source, { CARGO_TARGET_DIR: target });
  cpSync(join(target, 'debug', basename(source)), join(folder, 'bootstrap'));
}

/** Its install script would compile a curl of its own, and headers of Node.js be fetched: here the system's curl and the headers beside our Node.js serve. */
async function buildNode(source: string, folder: string): Promise<void> {
  cpSync(source, folder, { recursive: true });
  await runTool('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], folder);
  const modules = join(folder, 'node_modules');
  const client = join(modules, 'aws-lambda-ric');
  const sources = join(folder, 'aws-lambda-cpp');
  mkdirSync(sources);
  await runTool('tar', ['xJf', join(client, 'deps', 'aws-lambda-cpp.tar.xz'), '--no-same-owner', '-C', sources], folder);
  const version = join(sources, 'src', 'version.cpp');
  writeFileSync(version, readFileSync(`${version}.in`, 'utf8').replaceAll(/@PROJECT_VERSION\w*@/g, '0'));
  const parts = ['runtime', 'logging', 'version', 'backward'].map((part) => join(sources, 'src', `${part}.cpp`));
  const includes = [nodeHeaders, join(modules, 'node-addon-api'), join(sources, 'include')].map((path) => `-I${path}`);
  const addon = join(client, 'src', 'native', 'rapid-client.cc');
  const made = join(folder, 'rapid-client.node');
  const options = ['-std=gnu++20', '-O1', '-fPIC', '-shared', '-fvisibility=hidden', '-DNODE_GYP_MODULE_NAME=rapid_client'];
  await runTool('g++', [...options, ...includes, addon, ...parts, '-lcurl', '-o', made], folder);
  // Only what it needs when it runs becomes the bundle.
  const kept = join(folder, 'kept');
  for (const file of ['index.mjs', 'package.json']) cpSync(join(client, file), join(kept, 'aws-lambda-ric', file));
  cpSync(join(modules, '@aws'), join(kept, '@aws'), { recursive: true });
  renameSync(made, join(kept, 'aws-lambda-ric', 'rapid-client.node'));
  for (const path of [modules, sources, join(folder, 'package-lock.json')]) rmSync(path, { recursive: true });
  renameSync(kept, modules);
}

async function buildPython(source: string, folder: string): Promise<void> {
  const words = ['-m', 'pip', 'install', '--quiet', '--no-deps', '--only-binary=:all:', '--require-hashes', '--no-compile'];
  await runTool('/usr/bin/python3', [...words, '--target', folder, '--requirement', join(source, 'packages.txt')], source);
  for (const file of ['function.py', 'bootstrap']) cpSync(join(source, file), join(folder, file));
}

async function buildJava(source: string, folder: string): Promise<void> {
  const jars = join(folder, 'lib');
  const words = ['dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${jars}`];
  await runTool('mvn', ['-B', '-q', '-C', ...words], source);
  const found = filesIn(jars).map((file) => `${createHash('sha256').update(readFileSync(file)).digest('hex')}  ${basename(file)}\n`);
  const sums = join(source, 'sha256sums.txt');
  if (found.join('') !== readFileSync(sums, 'utf8')) throw new Error(`the jars are not those of ${sums}:\n${found.join('')}`);
  await runTool('javac', ['--release', '17', '-cp', join(jars, '*'), '-d', folder, join(source, 'Function.java')], source);
  cpSync(join(source, 'bootstrap'), join(folder, 'bootstrap'));
}
