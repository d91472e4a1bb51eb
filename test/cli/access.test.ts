/** Tenants and tokens by the command line, and the flag that says whose things a command is about. */
import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { after, before, describe, it } from 'node:test';
import { expiryOf, settingsOf } from '../../src/cli/tenant-flags.ts';
import { readIssuers } from '../../src/cli/up/issuers-file.ts';
import { upOptions } from '../../src/cli/up/options.ts';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CliUnderTest, openCli } from './cli-under-test.ts';
import { sendJson } from './fake-platform.ts';

const tenant = {
  name: 'acme',
  quotas: { functions: 2 },
  cpuWeight: 100,
  urls: 'token',
  createdAt: '2026-01-01T00:00:00.000Z',
  functionsUrl: 'http://x:1/@acme',
};
const token = {
  id: '0123456789abcdef',
  name: 'ci \u001b[2J',
  role: 'developer',
  tenant: 'acme',
  functions: ['a'],
  createdAt: '2026-01-01T00:00:00.000Z',
  createdBy: 'root',
  expired: false,
};
const answering = (value: unknown) => (response: ServerResponse) => sendJson(response, value);

describe('the command line', () => {
  let cli: CliUnderTest;
  before(async () => {
    cli = await openCli();
  });
  after(() => cli[Symbol.asyncDispose]());

  it('prints a token alone on standard output, and what it is on standard error', async () => {
    cli.platform.answer('POST /v1/tokens', answering({ ...token, token: 'swt_x', placed: true }));
    const { code, stdout, stderr } = await cli.swiftlet(
      'token',
      'create',
      'ci',
      '--role',
      'developer',
      '--function',
      'a',
      '--expires',
      '30d',
    );
    assert.deepEqual([code, stdout], [0, 'swt_x\n'], stderr);
    assert.match(stderr, /Shown this once\. developer of a in tenant acme; revoke it with: swiftlet token revoke 0123456789abcdef/);
    cli.platform.answer('GET /v1/tokens', answering({ tokens: [token] }));
    assert.match((await cli.swiftlet('token', 'list')).stdout, /0123456789abcdef +ci \\e\[2J +developer +a +never +2026-/);
    cli.platform.answer('DELETE /v1/tokens/0123456789abcdef', answering({ ...token, placed: false }));
    const revoked = await cli.swiftlet('token', 'revoke', token.id);
    assert.match(revoked.stdout, /worth nothing any more/);
    assert.match(revoked.stderr, /not in force everywhere yet/);
  });

  it('prints access keys as a credentials file of AWS, alone on standard output', async () => {
    const key = { ...token, token: 'swt_x', accessKeyId: 'SWLT0123456789ABCDEF', secretAccessKey: 's', placed: true };
    cli.platform.answer('POST /v1/tokens', answering(key));
    const made = await cli.swiftlet('credentials', 'create', 'ci', '--role', 'invoker', '--profile', 'shop');
    assert.deepEqual(
      [made.code, made.stdout],
      [0, '[shop]\naws_access_key_id = SWLT0123456789ABCDEF\naws_secret_access_key = s\n'],
      made.stderr,
    );
    assert.match(made.stderr, /Shown this once\..*swiftlet token revoke 0123456789abcdef/);
    cli.platform.answer('GET /v1/tokens', answering({ tokens: [key, { ...token, id: 'f'.repeat(16) }] }));
    const { stdout } = await cli.swiftlet('credentials', 'list');
    assert.match(stdout, /^SWLT0123456789ABCDEF +0123456789abcdef /m);
    assert.doesNotMatch(stdout, /ffff/);
    cli.platform.answer('GET /v1/tokens', answering({ tokens: [key] }));
    cli.platform.answer('POST /v1/tokens/0123456789abcdef/rotate', answering(key));
    const rotated = await cli.swiftlet('credentials', 'rotate', 'SWLT0123456789ABCDEF', '--keep', '1h');
    assert.match(rotated.stdout, /^\[swiftlet\]\n/);
    assert.match(rotated.stderr, /counts for another 1h/);
    cli.platform.answer('GET /v1/tokens', answering({ tokens: [token] }));
    const refused = await cli.swiftlet('credentials', 'rotate', token.id);
    assert.deepEqual([refused.code, /is no access key/.test(refused.stderr)], [2, true]);
  });

  it('makes, changes, shows and removes tenants', async () => {
    cli.platform.answer('PUT /v1/tenants/acme', answering({ ...tenant, placed: true }));
    const made = await cli.swiftlet('tenant', 'create', 'acme', '--quota', 'functions=2');
    assert.deepEqual(
      [made.code, made.stdout],
      [0, 'Tenant acme is there: its functions are at http://x:1/@acme/<function>/.\n'],
      made.stderr,
    );
    cli.platform.answer('GET /v1/tenants', answering({ tenants: [tenant] }));
    assert.match((await cli.swiftlet('tenant', 'list')).stdout, /^acme +http:\/\/x:1\/@acme +token +2026-/m);
    cli.platform.answer(
      'GET /v1/tenants/acme',
      answering({ ...tenant, use: { functions: 1, storageBytes: 1024 * 1024, gbSecondsToday: 0.5 } }),
    );
    const { stdout } = await cli.swiftlet('tenant', 'describe', 'acme');
    assert.match(stdout, /^functions +2 +1 *$/m);
    assert.match(stdout, /^storageMiB +no limit +1\.0 *$/m);
    assert.match(stdout, /^gbSecondsPerDay +no limit +0\.500 *$/m);
  });

  it('says what is wrong with what it is told', async () => {
    for (const [words, message] of [
      [['token', 'create', 'ci'], /--role/],
      [['token', 'create', 'ci', '--role', 'god'], /"god" is none; there are admin, operator/],
      [['token', 'create', 'ci', '--role', 'viewer', '--expires', 'soon'], /write 30d, 12h or 90m/],
      [['credentials', 'create', 'ci', '--role', 'god'], /"god" is none/],
      [['credentials', 'create', 'ci', '--role', 'viewer', '--profile', 'a]\n[b'], /is no name of a profile/],
      [['credentials', 'rotate', 'SWLT0123456789ABCDEF', '--keep', 'long'], /--keep: "long" is no time/],
      [['tenant', 'create', 'acme', '--quota', 'function=2'], /did you mean "functions"/],
      [['tenant', 'create', 'acme', '--quota', 'functions=many'], /write functions=20, or functions=none/],
      [['tenant', 'create', 'acme', '--urls', 'open'], /urls/],
      [['tenant', 'create', 'acme', '--cpu-weight', '0'], /cpuWeight/],
    ] as const) {
      const { code, stderr } = await cli.swiftlet(...words);
      assert.equal(code, 2, stderr);
      assert.match(stderr, message);
    }
  });

  it('sends a tenant that is named with every call', async () => {
    cli.platform.answer('GET /v1/functions', (response) => {
      assert.equal(response.req.headers['x-swiftlet-tenant'], 'acme');
      sendJson(response, { functions: [] });
    });
    assert.equal((await cli.swiftlet('list', '--tenant', 'acme')).code, 0);
  });
});

describe('flags', () => {
  it('change what they name, and leave the rest', () => {
    const before = settingsOf({ quota: ['functions=2', 'memoryMiB=512'], urls: 'public' }, undefined);
    assert.deepEqual(before, { quotas: { functions: 2, memoryMiB: 512 }, cpuWeight: 100, urls: 'public', network: undefined });
    assert.deepEqual(settingsOf({ quota: ['functions=none', 'asyncBacklog=5'], cpuWeight: '50' }, before), {
      quotas: { memoryMiB: 512, asyncBacklog: 5 },
      cpuWeight: 50,
      urls: 'public',
      network: undefined,
    });
    const listed = settingsOf({ quota: [], network: '{"deny":["*:25"]}' }, before);
    assert.deepEqual([listed.network, listed.urls], [{ deny: ['*:25'] }, 'public']);
    assert.throws(() => settingsOf({ quota: [], network: '{deny' }, before), /no JSON/);
    assert.throws(() => settingsOf({ quota: [], network: 'all' }, before), /network: it is none, internet/);
    assert.equal(expiryOf('30d', 0), '1970-01-31T00:00:00.000Z');
  });

  it('decide who may call functions that do not say it: anybody as long as nobody else can reach them', () => {
    const urls = (environment: NodeJS.ProcessEnv) => upOptions({ SWIFTLET_HOME: '/x', ...environment }).urls;
    assert.deepEqual(
      [
        urls({}),
        urls({ SWIFTLET_HOST: '::1' }),
        urls({ SWIFTLET_HOST: '0.0.0.0' }),
        urls({ SWIFTLET_HOST: '192.0.2.1' }),
        urls({ SWIFTLET_HOST: '0.0.0.0', SWIFTLET_URLS: 'public' }),
      ],
      ['public', 'public', 'token', 'token', 'public'],
    );
  });

  it('name a file of issuers, whose mistakes are told with their place', async () => {
    await using cli = await openCli();
    const path = join(cli.folder, 'issuers.yaml');
    const write = (text: string) => {
      writeFileSync(path, text);
      return () => readIssuers(path);
    };
    const good =
      '- issuer: https://id.example\n  audience: swiftlet\n  grants:\n    - { claim: groups, value: a, role: admin, tenant: "*" }\n';
    assert.equal(write(good)()[0]?.grants.length, 1);
    assert.throws(write(good.replace('admin', 'god')), { code: 'BadRequest', message: /issuers\.yaml: 0\.grants\.0\.role/ });
    assert.throws(write(good.replace('https', 'http')), { message: /0\.issuer: .*https/ });
    assert.throws(write('{'), { message: /cannot be read/ });
    assert.throws(() => readIssuers(join(cli.folder, 'none')), { message: /cannot be read/ });
  });
});
