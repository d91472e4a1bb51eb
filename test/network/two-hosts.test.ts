/** Roles on two hosts: who they are is proved, all the while, and whoever cannot prove it is refused. Needs root. */
import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { packModule } from '../../bench/bench-functions.ts';
import { Authority } from '../../src/control/hosts/authority.ts';
import { certificateFileOf } from '../../src/role/certificates/credentials-file.ts';
import type { OwnCertificate } from '../../src/role/certificates/material.ts';
import { hostCertificateFile, runFolder } from '../../src/role/home.ts';
import { connectCalls } from '../../src/wire/calls.ts';
import type { CertifiedRole } from '../../src/wire/secure/role-certificate.ts';
import { eventually } from '../e2e/functions.ts';
import { needsRoot } from '../e2e/needs.ts';
import { certificateFor, openAuthority, secureAt } from '../wire/secure-places.ts';
import { addresses, callsPort, openTwoHosts, type TwoHosts } from './two-hosts.ts';

const skip = needsRoot;
const lifeSeconds = 10;
const functionRoles = ['agent', 'events', 'gateway', 'relay'];
let hosts: TwoHosts;
before(async () => {
  if (skip !== false) return;
  hosts = await openTwoHosts(lifeSeconds);
});
after(async () => {
  if (skip === false) await hosts[Symbol.asyncDispose]();
});

const certificatesSchema = z.object({
  certificates: z.array(z.object({ role: z.string(), host: z.string(), endsAt: z.string(), overdue: z.boolean() })),
});
async function certificates() {
  const response = await fetch(`${hosts.apiUrl}/v1/security`, { headers: { authorization: `Bearer ${hosts.token}` } });
  return certificatesSchema.parse(await response.json()).certificates;
}

const saying = (answer: string) => packModule(`export const handler = () => '${answer}';\n`);
const ask = async (): Promise<string> => (await fetch(`${hosts.gatewayUrl}/hello/`)).text();

test('a deploy at control’s host is answered at the other one; code, state and figures go over the cable', { skip }, async () => {
  await hosts.api.deploy('hello', await saying('first'));
  assert.equal(await ask(), '"first"');
  assert.equal((await hosts.api.instances('hello')).length, 1);
  assert.match(await hosts.api.metrics('agent'), /swiftlet_/);
});

test('a secret reaches the functions of the other host, and so does its rotation', { skip }, async () => {
  const tell = async (method: string, path: string, value: string) => {
    const headers = { authorization: `Bearer ${hosts.token}`, 'content-type': 'application/json' };
    const response = await fetch(`${hosts.apiUrl}/v1/secrets/${path}`, { method, headers, body: JSON.stringify({ value }) });
    assert.ok(response.ok, await response.text());
  };
  const shout = async (): Promise<string> => (await fetch(`${hosts.gatewayUrl}/shout/`)).text();
  await tell('PUT', 'cry', 'from one host');
  const source = await packModule('export const handler = () => process.env.CRY.toUpperCase();\n');
  await hosts.api.deploy('shout', source, { secrets: { CRY: { secret: 'cry' } } });
  assert.equal(await shout(), '"FROM ONE HOST"');
  await tell('POST', 'cry/rotate', 'to another host');
  await eventually(shout, (text) => text === '"TO ANOTHER HOST"');
});

test('keys are for their owners only', { skip }, () => {
  const { control, functions } = hosts.homes;
  const run = runFolder(functions, process.env);
  const files = [
    join(control, 'control', 'authority.pem'),
    hostCertificateFile(functions),
    ...functionRoles.map((role) => certificateFileOf(run, role)),
  ];
  for (const file of files) assert.equal(statSync(file).mode & 0o777, 0o600, file);
  const owners = functionRoles.map((role) => statSync(certificateFileOf(run, role)).uid);
  assert.equal(new Set(owners).size, owners.length, 'no role can read another one’s key');
});

test('certificates are renewed while calls go on, and none fails', { skip }, async () => {
  const before = new Map((await certificates()).map(({ role, endsAt }) => [role, endsAt]));
  assert.deepEqual([...before.keys()].filter((role) => role !== 'host').toSorted(), [...functionRoles, 'control'].toSorted());
  const until = Date.now() + 1.3 * lifeSeconds * 1_000;
  const wrong: string[] = [];
  let [deploys, calls, questions] = [0, 0, 0];
  const noting = async (act: () => Promise<void>) => {
    while (Date.now() < until) {
      await act().catch((error: unknown) => wrong.push(String(error)));
      await pause(5);
    }
  };
  await Promise.all([
    noting(async () => {
      const answer = await ask();
      calls++;
      if (!/^"(first|deploy \d+)"$/.test(answer)) wrong.push(answer);
    }),
    noting(async () => {
      const { status } = await fetch(`${hosts.apiUrl}/healthz`);
      if (status !== 200) wrong.push(`GET /healthz was ${status}`);
      await hosts.api.instances('hello');
      questions++;
    }),
    noting(async () => {
      const number = ++deploys;
      await hosts.api.deploy('hello', await saying(`deploy ${number}`));
      const answer = await ask();
      if (answer !== `"deploy ${number}"`) wrong.push(`${answer} after deploy ${number}`);
      await pause(1_000);
    }),
  ]);
  assert.deepEqual(wrong.slice(0, 5), []);
  assert.ok(calls > 100 && questions > 50 && deploys > 3, `${calls} calls, ${questions} questions, ${deploys} deploys`);
  await eventually(certificates, (all) =>
    all.every(({ role, endsAt, overdue }) => role === 'host' || (endsAt > (before.get(role) ?? '') && !overdue)),
  );
});

/** Comes to where control publishes its state, and waits for what control's log says of it. */
async function refusedByControl(own: OwnCertificate, greetsAs: string): Promise<string> {
  const from = hosts.log('control').length;
  const place = { ...secureAt(callsPort, own, ['control']), host: addresses.control };
  let heard = 0;
  await using _client = connectCalls(place, greetsAs, { notice: () => (heard += 1) });
  const log = await eventually(
    () => hosts.log('control').slice(from),
    (text) => text.includes('a connection between hosts was refused'),
  );
  assert.equal(heard, 0, 'nothing of the state was told');
  return log;
}

const ours = async (role: CertifiedRole, now = Date.now, lifeMs = 60_000): Promise<OwnCertificate> =>
  (await Authority.open(join(hosts.homes.control, 'control'), now)).make({ role, host: 'intruder', lifeMs });

test('another authority’s certificate is refused, and control’s log says why', { skip }, async () => {
  const theirs = await certificateFor(await openAuthority(), 'gateway');
  const trusting = { ...theirs, authority: (await ours('gateway')).authority };
  assert.match(await refusedByControl(trusting, 'gateway'), /not of an authority that is trusted here/);
});

test('a certificate of a role that has no business there is refused, and control’s log says why', { skip }, async () => {
  assert.match(await refusedByControl(await ours('relay'), 'relay'), /for the role relay; here it is to be/);
});

test('a gateway’s certificate opens nothing to who calls himself agent, and control’s log says why', { skip }, async () => {
  assert.match(await refusedByControl(await ours('gateway'), 'agent'), /calls itself agent, and its certificate is for the role gateway/);
});

test('a certificate that has ended is refused, and control’s log says why', { skip }, async () => {
  assert.match(await refusedByControl(await ours('gateway', () => Date.now() - 120_000), 'gateway'), /its certificate ended at/);
});
