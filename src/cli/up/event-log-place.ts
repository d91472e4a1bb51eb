import type { z } from 'zod';
import type { RoleConfig } from '../../role/role-config.ts';

/** Where events are stored. */
export type EventLogPlace = RoleConfig['events']['log'];

const defaultStream = 'swiftlet-events';
const maxReplicas = 5;
const expected = 'it is "sqlite", or the address of NATS servers: nats://user:password@host:4222/stream?replicas=3';

/** Reads `sqlite`, `nats://host/stream?replicas=3`, or `tls://…`; further servers follow the first one's host, joined by commas. */
export function eventLogOf(text: string, context: z.core.$RefinementCtx<string>): EventLogPlace {
  if (text === 'sqlite') return { kind: 'sqlite' };
  const place = natsPlace(text);
  if (place !== undefined) return place;
  context.issues.push({ code: 'custom', message: expected, input: text });
  return { kind: 'sqlite' };
}

function natsPlace(text: string): EventLogPlace | undefined {
  const [, scheme = '', hosts = '', path = '', query = ''] = /^(nats|tls):\/\/([^/?#]+)(?:\/([\w-]*))?(?:\?([^#]*))?$/.exec(text) ?? [];
  const [first = '', ...others] = hosts.split(',');
  // Who may connect is said once, before the first host.
  const servers = [first, ...others].map((host) => `${scheme}://${host}`);
  const replicas = Number(new URLSearchParams(query).get('replicas') ?? 1);
  if (first === '' || !servers.every((server) => URL.canParse(server))) return undefined;
  if (!Number.isInteger(replicas) || replicas < 1 || replicas > maxReplicas) return undefined;
  return { kind: 'nats', servers: servers.join(','), stream: path === '' ? defaultStream : path, replicas };
}
