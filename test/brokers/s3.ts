/** A real S3-compatible server (Versity's gateway over a folder), which can notify NATS, and what a test has to say to it. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../bench/free-port.ts';
import { AwsClient } from 'aws4fetch';
import { Broker, brokerFolder, brokerPassword, giveTo } from './broker.ts';
import { goProgram } from './go-program.ts';

/** Debian has none. */
export const s3Program = [new URL('s3-server', import.meta.url), 'github.com/versity/versitygw/cmd/versitygw'] as const;
/** The id of the one key that it has; {@link brokerPassword} is the secret. */
export const s3AccessKey = 'swiftlet';

export interface S3Options {
  /** Where it tells of what is created and removed: a subject of NATS. */
  readonly notify?: { readonly url: string; readonly subject: string };
}

/** @param buckets that it has */
export async function startS3(buckets: readonly string[], { notify }: S3Options = {}): Promise<Broker> {
  const program = await goProgram(...s3Program);
  const port = await freePort();
  const folder = brokerFolder('s3');
  const [objects, attributes, users] = [join(folder, 'objects'), join(folder, 'attributes'), join(folder, 'users')];
  for (const bucket of buckets) mkdirSync(join(objects, bucket), { recursive: true });
  for (const made of [attributes, users]) mkdirSync(made);
  giveTo(folder);
  const notifying = notify === undefined ? [] : ['--event-nats-url', notify.url, '--event-nats-topic', notify.subject];
  const broker = new Broker(port, folder, {
    command: program,
    // What it knows of objects stands beside them, so that the file system needs no attributes.
    args: ['--port', `127.0.0.1:${port}`, '--iam-dir', users, ...notifying, 'posix', '--sidecar', attributes, objects],
    environment: { ROOT_ACCESS_KEY_ID: s3AccessKey, ROOT_SECRET_ACCESS_KEY: brokerPassword },
    ready: /listening on/i,
    listensLater: true,
  });
  await broker.start();
  return broker;
}

/** @throws Error when it refuses */
export async function askS3(port: number, method: string, path: string, body?: string): Promise<void> {
  const client = new AwsClient({ accessKeyId: s3AccessKey, secretAccessKey: brokerPassword, service: 's3', region: 'us-east-1' });
  const response = await client.fetch(`http://127.0.0.1:${port}/${path}`, { method, ...(body === undefined ? {} : { body }) });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
}
