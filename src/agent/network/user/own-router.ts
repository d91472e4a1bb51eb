/** The router of a platform without root's rights: the network namespace that the agent and what it starts are in, whose way out is pasta. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { Links, loopback } from '../../linux/links.ts';
import { namespaceCookie } from '../../linux/marked-sockets.ts';
import { openKept } from '../../linux/network-namespace.ts';
import { type AddressPlan, router4, router6 } from '../address-plan.ts';
import { hasIpv6 } from '../forwarding.ts';
import { applySettings, type Router, routerSettings } from '../router.ts';

/** Where any process in it finds it. */
export const ownRouterPath = '/proc/thread-self/ns/net';
const recordName = 'user-router.json';
const recordSchema = z.object({ cookie: z.string() });

/** Its addresses are no other namespace’s business: any block will do. */
const block = 0;

/**
 * Makes this namespace the router, or finds that an earlier agent did.
 * @param folder of the agent’s, in the run folder
 * @throws SystemCallError or Error without the rights
 */
export function openOwnRouter(folder: string, id: string): Router {
  const plan = { id, block };
  const path = join(folder, recordName);
  const wasThere = readCookie(path) === namespaceCookie();
  if (!wasThere) {
    prepare(plan);
    writeFileSync(path, JSON.stringify({ cookie: namespaceCookie() }));
  }
  return { plan, fd: openKept(ownRouterPath), wasThere, isOwn: true };
}

function prepare(plan: AddressPlan): void {
  using own = new Links();
  own.raise(loopback);
  applySettings(routerSettings);
  own.addAddress(loopback, router4(plan));
  if (hasIpv6()) own.addAddress(loopback, router6(plan));
}

function readCookie(path: string): string | undefined {
  try {
    return recordSchema.parse(JSON.parse(readFileSync(path, 'utf8'))).cookie;
  } catch {
    return undefined;
  }
}
