/** Kafka's jars, of pinned versions, from Maven Central by Maven, checked by their digests; and an empty storage that Kafka has formatted. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const projectFolder = fileURLToPath(new URL('kafka', import.meta.url));
const sumsFile = join(projectFolder, 'sha256sums.txt');
/** Beside what else is installed, and thrown away with it. */
const cacheFolder = fileURLToPath(new URL('../../node_modules/.cache/swiftlet', import.meta.url));
const limitMs = 200_000;
const run = promisify(execFile);

export interface KafkaFiles {
  /** What `java` is to have as its class path. */
  readonly classPath: string;
  /** A storage with one broker that is its own controller, by {@link storageSettings}. To be copied. */
  readonly storage: string;
}

/** What a storage is formatted for; the ports are not in it. */
export const storageSettings = (logs: string, port: number, controllerPort: number): Record<string, string> => ({
  'process.roles': 'broker,controller',
  'node.id': '1',
  'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
  listeners: `CLIENTS://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
  'listener.security.protocol.map': 'CLIENTS:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT',
  'inter.broker.listener.name': 'CLIENTS',
  'controller.listener.names': 'CONTROLLER',
  'log.dirs': logs,
});

export const propertiesOf = (settings: Readonly<Record<string, string>>): string =>
  Object.entries(settings)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');

/** @returns where they are; they are fetched when they are not there @throws Error when Maven or Java is missing, or a jar is another than ours */
export async function kafkaFiles(): Promise<KafkaFiles> {
  const digest = createHash('sha256').update(readFileSync(sumsFile)).digest('hex').slice(0, 12);
  const folder = join(cacheFolder, `kafka-${digest}`);
  const files = { classPath: join(folder, 'jars', '*'), storage: join(folder, 'storage') };
  if (existsSync(folder)) return files;
  // Two that fetch it at once do not see each other's half.
  const made = `${folder}.${process.pid}`;
  mkdirSync(made, { recursive: true });
  try {
    await fetchJars(join(made, 'jars'));
    await formatStorage(made);
    if (!existsSync(folder)) renameSync(made, folder);
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
  return files;
}

async function fetchJars(folder: string): Promise<void> {
  await run('mvn', ['-B', '-q', '-C', 'dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${folder}`], {
    cwd: projectFolder,
    timeout: limitMs,
  });
  const found = readdirSync(folder)
    .sort()
    .map(
      (name) =>
        `${createHash('sha256')
          .update(readFileSync(join(folder, name)))
          .digest('hex')}  ${name}\n`,
    )
    .join('');
  if (found !== readFileSync(sumsFile, 'utf8')) throw new Error(`Kafka's jars are not those of ${sumsFile}:\n${found}`);
}

async function formatStorage(folder: string): Promise<void> {
  const settings = join(folder, 'format.properties');
  writeFileSync(settings, propertiesOf(storageSettings(join(folder, 'storage'), 1, 2)));
  const format = ['kafka.tools.StorageTool', 'format', '--cluster-id', 'c3dpZnRsZXQtdGVzdHMtMQ', '--config', settings];
  await run('java', ['-cp', join(folder, 'jars', '*'), ...format], { timeout: limitMs });
}
