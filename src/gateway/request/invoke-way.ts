/** How a request came, for a function that is told. */
import type { Authorizer, InvokeWay } from '../../wire/instance-protocol.ts';
import type { TakenRoute } from '../routing/taken-route.ts';

const noNames: readonly string[] = [];

/** @returns undefined for one that came by its function's own address, and of whose sender nothing was asked */
export function invokeWayOf(taken: TakenRoute | undefined, authorizer: Authorizer | undefined): InvokeWay | undefined {
  if (taken === undefined && authorizer === undefined) return undefined;
  const { names = noNames, routeKey = '$default' } = taken?.open ?? {};
  const parameters: string[] = [];
  for (let at = 0; at < names.length; at++) parameters.push(names[at] ?? '', decoded(taken?.values[at] ?? ''));
  return authorizer === undefined ? [routeKey, parameters] : [routeKey, parameters, authorizer];
}

/** As it was meant; as it came where that cannot be told. */
function decoded(value: string): string {
  if (!value.includes('%')) return value;
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
