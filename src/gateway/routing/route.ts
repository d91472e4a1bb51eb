/** From a request's target to a function, by one canonical form of the path. Budget: below 1 µs; no regular expression, no URL object. */
import { defaultTenant, maxNameLength } from '../../model/names.ts';
import { tenantMark } from '../../model/tenant-path.ts';
import { aliasMark } from '../../model/traffic.ts';
import { functionKey } from '../../wire/published-state.ts';
import type { TakenRoute } from './taken-route.ts';

export type Route =
  /** `/<function>/<rest>` or `/<function>:<alias>/<rest>`, of another tenant with `/@<tenant>` before; `rest` keeps the query and begins with `/`. */
  | FunctionRoute
  /** `/_/<path>`: the platform's own; without the query. */
  | { readonly kind: 'platform'; readonly path: string }
  | { readonly kind: 'root' }
  /** There are routes by this path, for other methods. */
  | { readonly kind: 'other methods'; readonly methods: readonly string[] }
  /** Not canonical: a proxy in front of us and we might read it differently. */
  | { readonly kind: 'invalid'; readonly reason: string };

export interface FunctionRoute {
  readonly kind: 'function';
  readonly tenant: string;
  /** Empty for a name that is too long for any. */
  readonly key: string;
  readonly name: string;
  readonly rest: string;
  /** Absent: it came by the function's own address. */
  readonly taken?: TakenRoute;
  /** The lane that it is in, wherever that has led it; absent: the main one, or nobody has looked. */
  readonly lane?: string;
  /** A browser asks by OPTIONS, for which there is no route, about the method for which there is this one. */
  readonly isPreflight?: boolean;
}

/** A function's and an alias's. */
const longestName = maxNameLength + aliasMark.length + maxNameLength;
const slash = 0x2f;
const dot = 0x2e;
const percent = 0x25;
const backslash = 0x5c;
const hash = 0x23;
const at = tenantMark.charCodeAt(0);

/** @param target the request line's target, as it came */
export function route(target: string): Route {
  if (target.charCodeAt(0) !== slash) return { kind: 'invalid', reason: 'it must begin with /' };
  const mark = target.indexOf('?');
  const end = mark < 0 ? target.length : mark;
  const fault = pathFault(target, end);
  if (fault !== undefined) return { kind: 'invalid', reason: fault };
  if (end === 1) return { kind: 'root' };
  const isTenants = target.charCodeAt(1) === at;
  const tenantEnd = isTenants ? partEnd(target, 1, end) : 0;
  // A tenant alone is like the root: its functions are below.
  if (isTenants && tenantEnd + 1 >= end) return { kind: 'root' };
  const nameEnd = partEnd(target, tenantEnd + 1, end);
  const name = target.slice(tenantEnd + 1, nameEnd);
  if (name === '_' && !isTenants) return { kind: 'platform', path: target.slice(nameEnd, end) };
  const rest = nameEnd === end ? `/${target.slice(end)}` : target.slice(nameEnd);
  const tenant = isTenants ? target.slice(2, tenantEnd) : defaultTenant;
  const key = name.length <= longestName && tenant.length <= maxNameLength ? functionKey(tenant, name) : '';
  return { kind: 'function', tenant, key, name, rest };
}

/** Where the part of a path ends that begins here. */
export function partEnd(target: string, from: number, end: number): number {
  const next = target.indexOf('/', from);
  return next < 0 || next > end ? end : next;
}

/** What is wrong with a path's form, or undefined. Encodings of what would change the form are refused rather than decoded. */
function pathFault(target: string, end: number): string | undefined {
  let segmentStart = 1;
  for (let place = 1; place <= end; place++) {
    const code = place === end ? slash : target.charCodeAt(place);
    if (code === slash) {
      const length = place - segmentStart;
      if (length === 0 && place !== end) return 'it has an empty part (//)';
      if (length === 1 && target.charCodeAt(segmentStart) === dot) return 'it has a part "."';
      if (length === 2 && target.charCodeAt(segmentStart) === dot && target.charCodeAt(segmentStart + 1) === dot)
        return 'it has a part ".."';
      segmentStart = place + 1;
    } else if (code === percent) {
      const value = hexByte(target, place + 1);
      if (value === undefined) return 'it has a % that is no encoding';
      if (value < 0x20 || value === 0x7f || value === slash || value === dot || value === backslash || value === percent)
        return 'it encodes a character that changes how it is read';
    } else if (code === backslash || code === hash || code <= 0x20 || code >= 0x7f) {
      return 'it has a character that must be encoded';
    }
  }
  return undefined;
}

function hexByte(text: string, at: number): number | undefined {
  const high = hexDigit(text.charCodeAt(at));
  const low = hexDigit(text.charCodeAt(at + 1));
  return high < 0 || low < 0 ? undefined : high * 16 + low;
}

function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}
