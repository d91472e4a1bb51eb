/**
 * Routes: requests that a function takes beside those for its own address, by host, method and path. The words of a path are those of AWS's
 * gateways: `/users/{id}`, and `/files/{path+}` for all that is below. Pure.
 */
import { z } from 'zod';
import * as limits from './limits.ts';
import { nameSchema } from './names.ts';
import { rateSchema } from './protection.ts';
import { tenantMark } from './tenant-path.ts';

export const routeMethods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;
/** A route without methods takes each that no other one takes. */
export const anyMethod = 'ANY';

export type RouteSegment =
  | { readonly kind: 'text'; readonly text: string }
  /** One part of the path. */
  | { readonly kind: 'parameter'; readonly name: string }
  /** All parts from here on, one at least. */
  | { readonly kind: 'rest'; readonly name: string };

const textPattern = /^[\w.~!$&'()*+,;=:@-]+$/;
const parameterPattern = /^\{([A-Za-z]\w{0,63})(\+?)\}$/;
const hostPattern = /^(?:\*\.)?[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/;

/** @param path one that its schema has accepted */
export function routeSegments(path: string): RouteSegment[] {
  if (path === '/') return [];
  return path
    .slice(1)
    .split('/')
    .map((part): RouteSegment => {
      const [, name, plus] = parameterPattern.exec(part) ?? [];
      if (name === undefined) return { kind: 'text', text: part };
      return { kind: plus === '+' ? 'rest' : 'parameter', name };
    });
}

/** What is wrong with a path, or undefined. */
function pathFault(path: string): string | undefined {
  if (!path.startsWith('/')) return 'it begins with /';
  if (path === '/') return undefined;
  if (path.endsWith('/')) return 'leave out the / at its end: the path is taken with it and without it';
  const parts = path.slice(1).split('/');
  if (parts.length > limits.maxRoutePath.parts) return `it has at most ${limits.maxRoutePath.parts} parts`;
  const wrong = parts.find((part) => part === '.' || part === '..' || !(parameterPattern.test(part) || textPattern.test(part)));
  if (wrong !== undefined)
    return `the part "${wrong}" is neither letters, digits and -._~!$&'()*+,;=:@ nor {name}; {name+} stands for all that is below`;
  if (parts[0] === '_' || parts[0]?.startsWith(tenantMark) === true) return 'what begins with /_/ or /@ is the platform’s own';
  const names = routeSegments(path).flatMap((segment) => (segment.kind === 'text' ? [] : [segment.name]));
  if (new Set(names).size < names.length) return 'two of its parameters have the same name';
  if (parts.slice(0, -1).some((part) => part.endsWith('+}'))) return 'a parameter with + is its last part';
  return undefined;
}

const pathSchema = z
  .string()
  .max(limits.maxRoutePath.length)
  .superRefine((path, context) => {
    const fault = pathFault(path);
    if (fault !== undefined) context.addIssue({ code: 'custom', message: fault });
  });

export const hostSchema = z
  .string()
  .max(253)
  .regex(hostPattern, 'a host is like api.example.com, in lower case and without a port; *.example.com stands for one name before it');

const whole = ({ min, max }: { readonly min: number; readonly max: number }) => z.int().min(min).max(max);

export const routeSchema = z.strictObject({
  /** Absent: whichever host, below the address of its tenant. */
  host: hostSchema.optional(),
  /** Absent: each that no other route takes. */
  methods: z.array(z.enum(routeMethods)).min(1).optional(),
  path: pathSchema,
  /** Requests go to this alias, instead of `live`. */
  alias: nameSchema.optional(),
  maxBodyBytes: whole(limits.routeBodyBytes).optional(),
  /** Names and values of all headers together. */
  maxHeaderBytes: whole(limits.routeHeaderBytes).optional(),
  /** From when the gateway has a request to its answer. */
  timeoutMs: whole(limits.routeTimeoutMs).optional(),
  /** Beside the function's own rates. */
  rates: z.array(rateSchema).max(limits.maxRates).default([]),
});
export type HttpRoute = Readonly<z.output<typeof routeSchema>>;

/** What a route takes that no other one may take. */
export interface RouteClaim {
  /** A host, or a tenant's mark and name. */
  readonly scope: string;
  readonly method: string;
  /** The path without its parameters' names. */
  readonly shape: string;
}

export const scopeOf = (tenant: string, host: string | undefined): string => host ?? `${tenantMark}${tenant}`;

export const methodsOf = ({ methods }: Pick<HttpRoute, 'methods'>): readonly string[] => methods ?? [anyMethod];

const shapes = { parameter: '{}', rest: '{+}' } as const;
const shapeOf = (path: string): string =>
  `/${routeSegments(path)
    .map((segment) => (segment.kind === 'text' ? segment.text : shapes[segment.kind]))
    .join('/')}`;

export const claimsOf = (tenant: string, route: HttpRoute): RouteClaim[] =>
  methodsOf(route).map((method) => ({ scope: scopeOf(tenant, route.host), method, shape: shapeOf(route.path) }));

/** For messages: `GET api.example.com/users/{id}`. */
export const routeText = ({ host = '', path }: Pick<HttpRoute, 'host' | 'path'>, method: string): string => `${method} ${host}${path}`;

/** The name that a path begins with where a function's name would stand; undefined when a parameter stands there, or there is a host. */
export function firstName({ host, path }: Pick<HttpRoute, 'host' | 'path'>): string | undefined {
  const [first] = routeSegments(path);
  return host === undefined && first?.kind === 'text' ? first.text : undefined;
}

export const routesSchema = z
  .array(routeSchema)
  .max(limits.maxRoutes, `a function has at most ${limits.maxRoutes} routes`)
  .superRefine((routes, context) => {
    const seen = new Set<string>();
    for (const [at, route] of routes.entries())
      for (const { scope, method, shape } of claimsOf('', route)) {
        const claim = `${method} ${scope}${shape}`;
        if (seen.has(claim))
          context.addIssue({ code: 'custom', message: `${routeText(route, method)} is taken by another route of it`, path: [at, 'path'] });
        seen.add(claim);
      }
  })
  .readonly();

/** Whether a host, or a pattern of hosts, is one that a pattern stands for. */
export const coversHost = (pattern: string, host: string): boolean =>
  pattern === host || (pattern.startsWith('*.') && !host.startsWith('*.') && host.slice(host.indexOf('.')) === pattern.slice(1));
