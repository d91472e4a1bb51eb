/** Callers whom an OpenID Connect issuer vouches for, with a real one: `oidc-provider`. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import Provider from 'oidc-provider';
import { Access } from '../../src/gateway/protection/access.ts';
import { type Issuer, publishedIssuersSchema } from '../../src/model/issuer.ts';
import { Identities } from '../../src/wire/identities.ts';
import { JwtCallers } from '../../src/gateway/protection/jwt-callers.ts';
import { eventually } from '../e2e/functions.ts';
import { startTenants } from './access-under-test.ts';
import { assertProblem } from './control-under-test.ts';

const audience = 'https://swiftlet.example';
const client = {
  client_id: 'ci',
  client_secret: 'a-secret',
  grant_types: ['client_credentials'],
  redirect_uris: [],
  response_types: [],
  id_token_signed_response_alg: 'ES256',
};

async function keyNamed(kid: string): Promise<JWK> {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  return { ...(await exportJWK(privateKey)), kid, alg: 'ES256', use: 'sig' };
}

/** An issuer whose keys can be changed. Its address stays. */
class RealIssuer {
  readonly #server: Server = createServer((request, response) => this.#answer(request, response));
  #answer: ReturnType<Provider['callback']> = (_request, response) => void response.writeHead(503).end();
  claims: Record<string, unknown> = { groups: ['devs'] };
  url = '';

  static async open(t: TestContext): Promise<RealIssuer> {
    const issuer = new RealIssuer();
    await once(issuer.#server.listen(0, '127.0.0.1'), 'listening');
    t.after(() => {
      issuer.#server.closeAllConnections();
      issuer.#server.close();
    });
    issuer.url = `http://127.0.0.1:${(issuer.#server.address() as AddressInfo).port}`;
    await issuer.signWith('first');
    return issuer;
  }

  async signWith(kid: string): Promise<void> {
    const provider = new Provider(this.url, {
      clients: [client],
      jwks: { keys: [await keyNamed(kid)] },
      extraTokenClaims: () => this.claims,
      features: {
        devInteractions: { enabled: false },
        clientCredentials: { enabled: true },
        resourceIndicators: {
          enabled: true,
          getResourceServerInfo: (_context, resource) => ({
            scope: '',
            audience: resource,
            accessTokenTTL: 300,
            accessTokenFormat: 'jwt',
            jwt: { sign: { alg: 'ES256' } },
          }),
        },
      },
    });
    this.#answer = provider.callback();
  }

  async token(resource = audience): Promise<string> {
    const response = await fetch(`${this.url}/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from('ci:a-secret').toString('base64')}` },
      body: new URLSearchParams({ grant_type: 'client_credentials', resource }),
    });
    const answer = (await response.json()) as { access_token?: string };
    const token = answer.access_token ?? assert.fail(JSON.stringify(answer));
    assert.match(token, /^[\w-]+\.[\w-]+\.[\w-]+$/);
    return token;
  }

  get trusted(): Issuer {
    return {
      issuer: this.url,
      audience,
      grants: [
        { claim: 'groups', value: 'devs', role: 'developer', tenant: 'acme' },
        { claim: 'groups', value: 'ops', role: 'operator', tenant: '*' },
      ],
    };
  }
}

describe('an issuer that is trusted', { concurrency: true }, () => {
  it('vouches for callers, whose claims are worth roles', async (t) => {
    const issuer = await RealIssuer.open(t);
    const under = await startTenants(t, { issuers: [issuer.trusted] });
    await under.createTenant('acme');
    const published = () => under.roles.heard.find(([method]) => method === 'issuers');
    while (published() === undefined) await new Promise((resolve) => setTimeout(resolve, 10));
    const token = await issuer.token();
    const deployed = await under.deploy('acme', 'hello', { token });
    assert.equal(deployed.status, 201, deployed.text);
    assert.equal((await under.as(token, '/v1/functions/hello')).status, 200, 'its own tenant is acme');
    assert.equal((await under.as(token, '/v1/tokens')).status, 403);
    assert.equal((await under.as(token, '/v1/functions', { tenant: 'default' })).status, 404);
    issuer.claims = { groups: ['ops'] };
    assert.equal((await under.as(await issuer.token(), '/metrics')).status, 200);
    issuer.claims = { groups: ['guests'] };
    assertProblem(await under.as(await issuer.token(), '/v1/functions'), 401, 'Unauthorized', /worth no role here/);
    issuer.claims = { groups: ['devs'] };
    assertProblem(await under.as(await issuer.token('https://elsewhere.example'), '/v1/functions'), 401, 'Unauthorized', /audience/);
  });

  it('vouches for callers of functions: a gateway decides it by the keys that control tells it', async (t) => {
    const issuer = await RealIssuer.open(t);
    const under = await startTenants(t, { issuers: [issuer.trusted] });
    await under.createTenant('acme');
    assert.equal((await under.deploy('acme', 'hello')).status, 201);
    const [, published] = await eventually(
      () => under.roles.heard.find(([method]) => method === 'issuers') ?? [],
      ([method]) => method !== undefined,
    );
    const identities = new Identities(() => assert.fail('its keys are known'));
    identities.take(publishedIssuersSchema.parse(published));
    const access = new Access('token', identities, new JwtCallers(() => undefined), Date.now);
    access.take(under.roles.state ?? assert.fail());
    const call = async (tenant: string, token: string): Promise<string> => {
      const passage = access.toUrl({ tenant, name: 'hello', key: `${tenant}/hello` }, { authorization: `Bearer ${token}` }, '192.0.2.1');
      if (passage.kind === 'refused') return passage.error.code;
      if (passage.kind !== 'pending') return passage.kind;
      await passage.decided;
      return call(tenant, token);
    };
    const token = await issuer.token();
    assert.deepEqual([await call('acme', token), await call('default', token)], ['granted', 'FunctionNotFound']);
    assert.equal(await call('acme', await issuer.token('https://elsewhere.example')), 'Unauthorized');
    issuer.claims = { groups: ['guests'] };
    assert.equal(await call('acme', await issuer.token()), 'Unauthorized');
  });

  it('may sign with new keys: they are read when they are met', async (t) => {
    const issuer = await RealIssuer.open(t);
    const under = await startTenants(t, { issuers: [issuer.trusted] });
    await under.createTenant('acme');
    assert.equal((await under.as(await issuer.token(), '/v1/functions')).status, 200);
    await issuer.signWith('second');
    const renewed = await issuer.token();
    assert.equal((await under.as(renewed, '/v1/functions')).status, 200);
  });

  it('that cannot be reached is no reason to let anybody in, or to keep others out', async (t) => {
    const under = await startTenants(t, {
      issuers: [{ issuer: 'http://127.0.0.1:9', audience, grants: [{ claim: 'groups', value: 'devs', role: 'admin', tenant: '*' }] }],
    });
    assert.equal((await under.call('/v1/functions')).status, 200);
    assertProblem(await under.as('a.b.c', '/v1/functions'), 401, 'Unauthorized');
  });
});

describe('a signed token', () => {
  const trusted = {
    issuer: 'https://id.example',
    audience,
    grants: [{ claim: 'groups', value: 'devs', role: 'developer' as const, tenant: 'acme' }],
  };
  const now = Date.parse('2026-06-01T00:00:00Z');
  const claims = { iss: trusted.issuer, aud: audience, sub: 'ada', groups: ['devs'], exp: now / 1_000 + 60 };

  async function opened() {
    const key = await keyNamed('k');
    const publicKey = { ...key, d: undefined };
    const asked: string[] = [];
    const identities = new Identities((issuer) => asked.push(issuer));
    identities.take([{ ...trusted, keys: [publicKey] }]);
    const sign = (changed: object, header: object = {}, by: JWK = key) =>
      new SignJWT({ ...claims, ...changed }).setProtectedHeader({ alg: 'ES256', kid: 'k', ...header }).sign(by);
    return { identities, sign, asked, key };
  }

  it('is worth what its claims are, until it ends', async () => {
    const { identities, sign } = await opened();
    const token = await sign({});
    assert.equal(identities.remembered(token, now), undefined);
    assert.deepEqual(await identities.verify(token, now), {
      kind: 'known',
      caller: { id: 'https://id.example|ada', kind: 'identity', grants: [{ role: 'developer', tenant: 'acme' }] },
      // For as long as it would be found good: else it would be verified again and again in its last seconds.
      expiresMs: claims.exp * 1_000 + 5_000,
    });
    assert.equal(identities.remembered(token, now)?.kind, 'known');
    assert.equal(identities.remembered(token, claims.exp * 1_000 + 4_999)?.kind, 'known');
    assert.equal(identities.remembered(token, claims.exp * 1_000 + 5_000), undefined);
    assert.equal((await identities.verify(token, claims.exp * 1_000 + 6_000)).kind, 'unknown');
  });

  it('of anybody else, for anybody else, unsigned or without an end is worth nothing', async () => {
    const { identities, sign } = await opened();
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const endless = Object.fromEntries(Object.entries(claims).filter(([name]) => name !== 'exp'));
    const forged = [
      `${part({ alg: 'none' })}.${part(claims)}.`,
      `${part({ alg: 'HS256', kid: 'k' })}.${part(claims)}.${part({})}`,
      await sign({}, {}, await keyNamed('k')),
      await sign({ iss: 'https://evil.example' }),
      await sign({ aud: 'https://elsewhere.example' }),
      await sign({ groups: ['others'] }),
      await sign({ sub: undefined }),
      await new SignJWT(endless).setProtectedHeader({ alg: 'ES256', kid: 'k' }).sign((await opened()).key),
      'a.b.c',
    ];
    for (const token of forged) assert.equal((await identities.verify(token, now)).kind, 'unknown', token.slice(0, 60));
  });

  it('with a key that is not known asks for keys once, not for each guess', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const { identities, sign, asked } = await opened();
    const first = identities.verify(await sign({}, { kid: 'other' }), now);
    while (asked.length === 0) await new Promise(setImmediate);
    t.mock.timers.tick(1_500);
    assert.equal((await first).kind, 'unknown');
    assert.equal((await identities.verify(await sign({ sub: 'eve' }, { kid: 'third' }), now + 100)).kind, 'unknown');
    assert.deepEqual(asked, ['https://id.example']);
  });
});
