/** Control in this process, on free ports and in a folder that goes, with stand-ins for the other roles. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { pino } from 'pino';
import { zstdCompressSync } from 'node:zlib';
import { bundleMediaType } from '../../src/build/bundle.ts';
import { startControl } from '../../src/control/start-control.ts';
import type { RoleConfig } from '../../src/role/role-config.ts';
import { rawEntry, tar } from '../build/hostile-tar.ts';
import type { RootKeys } from '../../src/role/root-keys.ts';
import { FakeRoles } from './fake-roles.ts';
import { FakeRootKeys } from './fake-root-keys.ts';
import { tempFolder } from './temp-folder.ts';

export const token = 'the-token-of-the-tests';
export const sha256 = (content: string | Buffer): string => createHash('sha256').update(content).digest('hex');

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body as JSON; undefined when it is none. */
  readonly json: Record<string, unknown>;
}

/** Asserts that an answer is problem details with everything that belongs to them. */
export function assertProblem({ status, headers, json }: Answer, wanted: number, code: string, detail?: RegExp, place?: string): void {
  assert.equal(status, wanted, JSON.stringify(json));
  assert.equal(headers.get('content-type'), 'application/problem+json');
  assert.equal(headers.get('cache-control'), 'no-store');
  assert.equal(json['code'], code);
  assert.equal(headers.get('x-swiftlet-error'), code);
  assert.equal(json['status'], wanted);
  assert.equal(json['requestId'], headers.get('x-swiftlet-request-id'));
  if (detail !== undefined) assert.match(String(json['detail']), detail);
  if (place !== undefined) assert.equal(json['place'], place);
}

export interface CallOptions {
  readonly method?: string;
  readonly body?: string | Uint8Array<ArrayBuffer>;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Null: none. */
  readonly token?: string | null;
}

export interface ControlUnderTest {
  readonly url: string;
  readonly folder: string;
  readonly roles: FakeRoles;
  call(path: string, options?: CallOptions): Promise<Answer>;
  put(path: string, body: unknown, headers?: Record<string, string>): Promise<Answer>;
  upload(bytes: Buffer, digest?: string): Promise<Answer>;
  /** Uploads a bundle of these files. @returns its digest */
  bundle(files?: Record<string, string>): Promise<string>;
  stop(graceMs?: number): Promise<void>;
}

export function configIn(folder: string, change: Partial<RoleConfig> = {}): RoleConfig {
  return {
    role: 'control',
    run: join(folder, 'run'),
    home: folder,
    gateway: { host: '127.0.0.1', port: 8080, tenantInFlight: 10, urls: 'public' },
    api: { host: '127.0.0.1', port: 0 },
    events: { log: { kind: 'sqlite' }, maxLogBytes: 1_000_000_000, webhookAllow: [], sourceFolders: [] },
    tokenHashes: [sha256(token)],
    agent: {
      isolation: 'bubblewrap',
      poolSize: 0,
      bootsAtOnce: 1,
      maxSandboxes: 16,
      network: { opened: [], nameServers: [], searchDomains: [] },
    },
    graceMs: 100,
    ...change,
  };
}

export const bundleOf = (files: Record<string, string>): Buffer =>
  zstdCompressSync(tar(...Object.entries(files).map(([name, content]) => rawEntry({ name, content }))));

export async function call(
  url: string,
  path: string,
  { method = 'GET', body, type = 'application/json', headers = {}, token: given }: CallOptions = {},
): Promise<Answer> {
  const authorization = given === null ? {} : { authorization: `Bearer ${given ?? token}` };
  const content = body === undefined ? {} : { 'content-type': type };
  const response = await fetch(url + path, {
    method,
    headers: { ...authorization, ...content, ...headers },
    ...(body === undefined ? {} : { body }),
  });
  const text = await response.text();
  const json =
    /^application\/(problem\+)?json/.test(response.headers.get('content-type') ?? '') && text !== ''
      ? (JSON.parse(text) as Record<string, unknown>)
      : {};
  return { status: response.status, headers: response.headers, text, json };
}

/** @param folder to start on the data of a control that was stopped @param rootKeys the same as it had then */
export async function startUnderTest(
  t: TestContext,
  folder = tempFolder(t),
  change: Partial<RoleConfig> = {},
  rootKeys: RootKeys = new FakeRootKeys(),
): Promise<ControlUnderTest> {
  const config = configIn(folder, change);
  mkdirSync(join(config.run, 'control'), { recursive: true });
  mkdirSync(join(folder, 'control'), { recursive: true });
  const roles = new FakeRoles(config.run);
  await roles.start();
  t.after(() => roles[Symbol.asyncDispose]());
  const control = await startControl(config, pino({ level: 'silent' }), rootKeys, join(folder, 'control'));
  const stop = async (graceMs = 0) => {
    await control.stop(graceMs === 0 ? AbortSignal.abort() : AbortSignal.timeout(graceMs));
    await roles[Symbol.asyncDispose]();
  };
  t.after(() => stop());
  const url = control.apiUrl;
  const under: ControlUnderTest = {
    url,
    folder,
    roles,
    stop,
    call: (path, options) => call(url, path, options),
    put: (path, body, headers = {}) => call(url, path, { method: 'PUT', body: JSON.stringify(body), headers }),
    upload: (bytes, digest = sha256(bytes)) =>
      call(url, `/v1/artifacts/${digest}`, { method: 'PUT', body: new Uint8Array(bytes), type: bundleMediaType }),
    async bundle(files = { 'index.js': 'export const handler = () => 1;' }) {
      const bytes = bundleOf(files);
      const { status, text } = await under.upload(bytes);
      if (status >= 300) throw new Error(text);
      return sha256(bytes);
    },
  };
  return under;
}
