/** What `swiftlet up` is told of the other host. */
import { resolve } from 'node:path';
import { z } from 'zod';
import { SwiftletError } from '../../../model/errors.ts';
import type { Hosts } from '../../../role/call-places.ts';

/** Each host's roles have up to four ports from its own on. */
const lastPort = 65_532;
const daySeconds = 86_400;
const address = z.string().transform((text, context) => {
  const url = URL.parse(`tcp://${text}`);
  const port = Number(url?.port);
  if (
    url !== null &&
    url.hostname !== '' &&
    url.port !== '' &&
    port > 0 &&
    port <= lastPort &&
    `${url.hostname}:${url.port}` === text.toLowerCase()
  )
    return { host: url.hostname.replace(/^\[(.*)\]$/, '$1'), port };
  context.issues.push({
    code: 'custom',
    message: `it is an address and a port up to ${lastPort}, such as 192.0.2.1:7400 or [2001:db8::1]:7400`,
    input: text,
  });
  return z.NEVER;
});

export const hostsVariables = {
  SWIFTLET_SERVES: z.enum(['all', 'control', 'functions']).default('all'),
  SWIFTLET_CALLS: address.optional(),
  SWIFTLET_OTHER_HOST: address.optional(),
  SWIFTLET_JOIN: z.string().min(1).optional(),
  SWIFTLET_CERTIFICATES: z.string().min(1).optional(),
  SWIFTLET_CERTIFICATE_LIFE_S: z.coerce
    .number()
    .int()
    .min(10)
    .max(365 * daySeconds)
    .default(daySeconds),
};
type Variables = z.output<z.ZodObject<typeof hostsVariables>>;

/** Where this host's certificates come from. */
export type CertificateSource =
  | { readonly kind: 'given'; readonly folder: string }
  /** Control makes its own. */
  | { readonly kind: 'own' }
  /** Control makes them, and this host asks for them. @param join the file that lets it do so for the first time */
  | { readonly kind: 'asked'; readonly join: string | undefined };

export interface HostsOptions {
  readonly config: Hosts;
  readonly source: CertificateSource;
}

/** @throws SwiftletError BadRequest for variables that do not go together */
export function hostsOptions(value: Variables): HostsOptions | undefined {
  const {
    SWIFTLET_SERVES: serves,
    SWIFTLET_CALLS: here,
    SWIFTLET_OTHER_HOST: other,
    SWIFTLET_CERTIFICATES: given,
    SWIFTLET_JOIN: join,
  } = value;
  if (serves === 'all') {
    for (const variable of ['SWIFTLET_CALLS', 'SWIFTLET_OTHER_HOST', 'SWIFTLET_JOIN', 'SWIFTLET_CERTIFICATES'] as const)
      if (value[variable] !== undefined)
        throw new SwiftletError(
          'BadRequest',
          `${variable} is for a platform on two hosts: set SWIFTLET_SERVES to control on one, to functions on the other`,
        );
    return undefined;
  }
  if (here === undefined || other === undefined)
    throw new SwiftletError(
      'BadRequest',
      `SWIFTLET_SERVES=${serves} needs SWIFTLET_CALLS, where this host listens for the other one, and SWIFTLET_OTHER_HOST, where that one does`,
    );
  if (join !== undefined && (given !== undefined || serves === 'control'))
    throw new SwiftletError('BadRequest', 'SWIFTLET_JOIN is for the host of the functions, when control makes the certificates');
  const certificates = given === undefined ? 'made' : 'given';
  return {
    config: { serves, here, other, certificates, certificateLifeMs: value.SWIFTLET_CERTIFICATE_LIFE_S * 1_000 },
    source: sourceOf(serves, given, join),
  };
}

function sourceOf(serves: 'control' | 'functions', given: string | undefined, join: string | undefined): CertificateSource {
  if (given !== undefined) return { kind: 'given', folder: resolve(given) };
  return serves === 'control' ? { kind: 'own' } : { kind: 'asked', join: join === undefined ? undefined : resolve(join) };
}
