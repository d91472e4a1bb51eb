/**
 * The routes of all functions, and which of them a request takes. Budget: 1 µs, for a hundred thousand as for one; nothing where there are
 * none.
 */
import type { IncomingMessage } from 'node:http';
import type { Version } from '../../model/function.ts';
import { type HttpRoute, methodsOf, routeSegments, type RouteSegment, scopeOf } from '../../model/http-route.ts';
import { defaultTenant } from '../../model/names.ts';
import { tenantMark } from '../../model/tenant-path.ts';
import { aliasMark } from '../../model/traffic.ts';
import { functionKey, type PublishedState } from '../../wire/published-state.ts';
import { RateLimits } from '../protection/rate-limits.ts';
import { functionOf } from '../request/failures.ts';
import { type FunctionRoute, partEnd, type Route } from './route.ts';
import { RouteTree } from './route-tree.ts';
import type { OpenRoute } from './taken-route.ts';

type RoutedWay = FunctionRoute & Required<Pick<FunctionRoute, 'taken'>>;

interface Planted {
  readonly scope: string;
  readonly segments: readonly RouteSegment[];
  readonly method: string;
  readonly open: OpenRoute;
}

const defaultScope = scopeOf(defaultTenant, undefined);
const at = tenantMark.charCodeAt(0);
const noMethods: readonly string[] = [];

export class RouteTable {
  #functions: PublishedState['functions'] = new Map();
  /** By the functions' keys: those that have routes, with the version whose routes they are. */
  readonly #rooted = new Map<string, Version>();
  /** By host, or by a tenant's mark and name. */
  readonly #trees = new Map<string, RouteTree<OpenRoute>>();
  /** How many of them are hosts'. */
  #hosts = 0;
  /** For which there is a route by the path that was looked for last. */
  #otherMethods: readonly string[] = noMethods;

  /** Takes a new state: what did not change stays as it is, and goes on counting. */
  take({ functions }: Pick<PublishedState, 'functions'>): void {
    const before = this.#functions;
    if (functions === before) return;
    this.#functions = functions;
    for (const key of this.#rooted.keys()) if (!functions.has(key)) this.#plant(key, undefined);
    for (const [key, serving] of functions) if (before.get(key) !== serving) this.#plant(key, serving);
  }

  /** Where a request goes: by a route, or as it stands in its path. */
  lead(way: Route, request: Pick<IncomingMessage, 'method' | 'headers' | 'url'>): Route {
    if (this.#trees.size === 0 || way.kind === 'platform' || way.kind === 'invalid') return way;
    const { method = 'GET', headers, url = '' } = request;
    const own = this.#taken(way, url, method, headers.host);
    if (own.kind !== 'other methods') return own;
    const wanted = headers['access-control-request-method'];
    if (method !== 'OPTIONS' || wanted === undefined) return own;
    // A browser asks whether it may send what the route is for.
    const asked = this.#taken(way, url, wanted, headers.host);
    return asked.kind === 'function' ? { ...asked, isPreflight: true } : own;
  }

  #taken(way: Exclude<Route, { kind: 'platform' | 'invalid' }>, target: string, method: string, host: string | undefined): Route {
    this.#otherMethods = noMethods;
    const mark = target.indexOf('?');
    const end = mark < 0 ? target.length : mark;
    const tenantEnd = target.charCodeAt(1) === at ? partEnd(target, 1, end) : 0;
    if (this.#hosts > 0 && host !== undefined && tenantEnd === 0) {
      const byHost = this.#takenAt(host, target, end, method);
      if (byHost !== undefined) return byHost;
    }
    const found = this.#takenIn(tenantEnd === 0 ? defaultScope : target.slice(1, tenantEnd), target, tenantEnd, end, method);
    const isNamed = way.kind === 'function' && this.#functions.has(functionOf(way.key));
    if (found !== undefined && !(isNamed && found.taken.open.isLoose)) return found;
    const methods = this.#otherMethods;
    return isNamed || methods.length === 0 ? way : { kind: 'other methods', methods };
  }

  #takenAt(host: string, target: string, end: number, method: string): RoutedWay | undefined {
    const name = hostName(host);
    const byName = this.#takenIn(name, target, 0, end, method);
    return byName ?? this.#takenIn(`*${name.slice(name.indexOf('.'))}`, target, 0, end, method);
  }

  /** @param from where the path begins that the function sees */
  #takenIn(scope: string, target: string, from: number, end: number, method: string): RoutedWay | undefined {
    const tree = this.#trees.get(scope);
    if (tree === undefined) return undefined;
    const open = tree.find(target, from, end, method);
    if (open === undefined) {
      const others = tree.otherMethods();
      if (others.length > 0) this.#otherMethods = [...new Set([...this.#otherMethods, ...others])];
      return undefined;
    }
    const { tenant, key, name } = open;
    const rest = from === 0 ? target : target.slice(from);
    return {
      kind: 'function',
      tenant,
      key,
      name,
      rest: rest.startsWith('/') ? rest : `/${rest}`,
      taken: { open, values: tree.parameters() },
    };
  }

  /** @param serving undefined: the function is gone */
  #plant(key: string, serving: Version | undefined): void {
    const before = this.#rooted.get(key);
    if (before === undefined && (serving === undefined || serving.config.routes.length === 0)) return;
    if (before !== undefined && serving !== undefined && isSame(before, serving)) {
      this.#rooted.set(key, serving);
      return;
    }
    if (before !== undefined) this.#remove(key, before);
    if (serving !== undefined && serving.config.routes.length > 0) this.#add(key, serving);
    this.#countHosts();
  }

  #add(key: string, serving: Version): void {
    for (const route of serving.config.routes)
      for (const { scope, segments, method, open } of plantedOf(serving, route)) {
        const tree = this.#trees.get(scope) ?? new RouteTree<OpenRoute>();
        this.#trees.set(scope, tree);
        tree.add(segments, method, open);
      }
    this.#rooted.set(key, serving);
  }

  /** Takes a function's routes out; those that another one has by now are that one's. */
  #remove(key: string, before: Version): void {
    const isIts = (open: OpenRoute) => functionOf(open.key) === key;
    for (const { host, path, methods } of before.config.routes) {
      const scope = scopeOf(before.tenant, host);
      const tree = this.#trees.get(scope);
      for (const method of methodsOf({ methods })) tree?.remove(routeSegments(path), method, isIts);
      if (tree?.size === 0) this.#trees.delete(scope);
    }
    this.#rooted.delete(key);
  }

  #countHosts(): void {
    this.#hosts = 0;
    for (const scope of this.#trees.keys()) if (!scope.startsWith(tenantMark)) this.#hosts += 1;
  }
}

const isSame = (one: Version, other: Version): boolean => JSON.stringify(one.config.routes) === JSON.stringify(other.config.routes);

function plantedOf({ tenant, function: name }: Version, route: HttpRoute): Planted[] {
  const segments = routeSegments(route.path);
  const [first] = segments;
  const named = route.alias === undefined ? name : `${name}${aliasMark}${route.alias}`;
  const shared = {
    tenant,
    key: functionKey(tenant, named),
    name: named,
    route,
    names: segments.flatMap((segment) => (segment.kind === 'text' ? [] : [segment.name])),
    isLoose: route.host === undefined && first !== undefined && first.kind !== 'text',
    rates: route.rates.length === 0 ? undefined : new RateLimits(route.rates),
  };
  const scope = scopeOf(tenant, route.host);
  return methodsOf(route).map((method) => ({ scope, segments, method, open: { ...shared, routeKey: `${method} ${route.path}` } }));
}

/** A host without its port, in lower case. */
function hostName(host: string): string {
  const port = host.lastIndexOf(':');
  return (port < 0 ? host : host.slice(0, port)).toLowerCase();
}
