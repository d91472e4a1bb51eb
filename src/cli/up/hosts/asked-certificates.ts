/** Certificates that control makes: the host's own, with which it asks for those of its roles, and all of them again in time. */
import { existsSync, readFileSync } from 'node:fs';
import { SwiftletError } from '../../../model/errors.ts';
import { type Hosts, secureAddress } from '../../../role/call-places.ts';
import { requestCertificate } from '../../../role/certificates/certificate-request.ts';
import { HeldCredentials } from '../../../role/certificates/held-credentials.ts';
import { certificateOf, type OwnCertificate, ownCertificate, pemOf } from '../../../role/certificates/material.ts';
import { renewAtMs } from '../../../role/certificates/validity.ts';
import { writePrivately } from '../../../role/certificates/write-privately.ts';
import { hostCertificateFile } from '../../../role/home.ts';
import type { RoleName } from '../../../role/role-config.ts';
import { type CallClient, connectCalls } from '../../../wire/calls.ts';
import { type AskCertificate, certificateAnswerSchema } from '../../../wire/host-calls.ts';
import { messageOf } from '../../failure.ts';
import type { CertificateMeans } from './certificate-means.ts';

/** Control makes its own. */
type AskingRole = Exclude<RoleName, 'control'>;

const firstLimitMs = 60_000;
const renewLimitMs = 10_000;
const lookEveryMs = 1_000;
/** After a renewal that failed. */
const againAfterMs = 5_000;

export interface AskedMeans extends CertificateMeans {
  readonly config: Hosts;
  readonly home: string;
  /** The file that an operator brought from control. */
  readonly join: string | undefined;
}

/** @throws SwiftletError BadRequest when there is nothing to ask with, Unavailable when control gives no certificates */
export async function askForCertificates({ config, home, join, roles, put, note }: AskedMeans): Promise<AsyncDisposable> {
  await using started = new AsyncDisposableStack();
  const own = new HeldCredentials(hostCertificate(home, join));
  const control = started.use(connectAsHost(config, own, note));
  const held = new Map<AskingRole, OwnCertificate>();
  const renew = async (role: AskingRole, limitMs: number) => {
    const made = await ask(control, role, limitMs);
    put(role, pemOf(made));
    held.set(role, made);
  };
  const renewOwn = async () => {
    const made = await ask(control, 'host', renewLimitMs);
    writePrivately(hostCertificateFile(home), pemOf(made));
    own.replace(made);
  };
  for (const role of roles) if (role !== 'control') await renew(role, firstLimitMs);
  const renewDue = async () => {
    if (isDue(own.current)) await renewOwn();
    for (const [role, certificate] of held) if (isDue(certificate)) await renew(role, renewLimitMs);
  };
  started.use(again(renewDue, (error) => note(`certificates could not be renewed, and will be tried again: ${messageOf(error)}`)));
  // What is being asked is given up first.
  started.defer(() => control[Symbol.asyncDispose]());
  const running = started.move();
  return { [Symbol.asyncDispose]: () => running.disposeAsync() };
}

const isDue = ({ shown }: OwnCertificate): boolean => Date.now() >= renewAtMs(shown);

/** What this host showed last, or what it was brought since. @throws SwiftletError BadRequest when there is neither */
function hostCertificate(home: string, join: string | undefined): OwnCertificate {
  const kept = hostCertificateFile(home);
  const brought = join === undefined || !existsSync(join) ? undefined : certificateOf(readFileSync(join, 'utf8'), join);
  const known = existsSync(kept) ? certificateOf(readFileSync(kept, 'utf8'), kept) : undefined;
  const latest = brought !== undefined && (known === undefined || brought.shown.untilMs > known.shown.untilMs) ? brought : known;
  if (latest === undefined || latest.shown.untilMs <= Date.now() || latest.shown.role !== 'host')
    throw new SwiftletError(
      'BadRequest',
      `this host has no certificate ${latest === undefined ? '' : 'that holds '}to ask control with; make one there with "swiftlet host admit <name>", bring it here, and set SWIFTLET_JOIN to its path`,
    );
  if (latest === brought) writePrivately(kept, pemOf(latest));
  return latest;
}

function connectAsHost(config: Hosts, credentials: HeldCredentials, note: (text: string) => void): CallClient {
  let last = '';
  const refused = (why: string, from: string) => {
    if (why !== last) note(`${from}: ${why}`);
    last = why;
  };
  return connectCalls(
    { ...secureAddress(config, 'hosts', 'other'), credentials, roles: ['control'], refused, proved: () => undefined },
    'host',
  );
}

async function ask(control: CallClient, role: AskCertificate['role'], limitMs: number): Promise<OwnCertificate> {
  const { key, request } = await requestCertificate(role);
  const answer = certificateAnswerSchema.parse(await control.ask('certificate', { role, request } satisfies AskCertificate, limitMs));
  return ownCertificate({ key, ...answer }, `the certificate for ${role} from control`);
}

/** Does it every second; after a failure, five seconds later. */
function again(act: () => Promise<void>, failed: (error: unknown) => void): AsyncDisposable {
  let isClosed = false;
  let acting = Promise.resolve();
  let next: NodeJS.Timeout;
  const plan = (afterMs: number) => {
    if (isClosed) return;
    next = setTimeout(() => {
      acting = act().then(
        () => plan(lookEveryMs),
        (error: unknown) => {
          if (!isClosed) failed(error);
          plan(againAfterMs);
        },
      );
    }, afterMs);
  };
  plan(lookEveryMs);
  return {
    async [Symbol.asyncDispose]() {
      isClosed = true;
      clearTimeout(next);
      await acting;
    },
  };
}
