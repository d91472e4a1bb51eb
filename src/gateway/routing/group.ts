/** Whether this host is one for a request, by its groups: before its lane and its version. Pure. Budget: nothing for functions without groups. */
import type { IncomingHttpHeaders } from 'node:http';
import { SwiftletError } from '../../model/errors.ts';
import {
  groupKinds,
  type GroupRule,
  type GroupsConfig,
  isPublishedTo,
  type Labels,
  labelsText,
  onlyText,
  placesFor,
} from '../../model/groups.ts';
import { wholeTenths } from '../../model/traffic.ts';
import { pointOf } from './choose.ts';
import { stickyValue } from './sticky-value.ts';

/** What a request is for. A kind of which it says nothing is any. @param seed the function's key */
export function wantedGroups({ by }: Pick<GroupsConfig, 'by'>, headers: IncomingHttpHeaders, seed: string): Labels {
  const wanted: { -readonly [Kind in keyof Labels]: Labels[Kind] } = {};
  for (const kind of groupKinds) {
    const rule = by[kind];
    const group = rule === undefined ? undefined : groupOf(rule, headers, seed);
    if (group !== undefined) wanted[kind] = group;
  }
  return wanted;
}

function groupOf({ header, cookie = '', among }: GroupRule, headers: IncomingHttpHeaders, seed: string): string | undefined {
  const value = stickyValue(header === undefined ? { cookie } : { header }, headers);
  if (value === undefined || value === '') return undefined;
  return among === undefined ? value : among[Math.floor((pointOf(value, seed) * among.length) / wholeTenths)];
}

/**
 * Why a request is not for this host.
 * @param name the function's
 * @param labels this host's
 */
export function elsewhere(
  name: string,
  groups: GroupsConfig,
  labels: Labels,
  headers: IncomingHttpHeaders,
  seed: string,
): SwiftletError | undefined {
  const here = labelsText(labels);
  const host = here === '' ? 'this host has no labels' : `this host is of ${here}`;
  if (!isPublishedTo(groups, labels))
    return new SwiftletError(
      'GroupElsewhere',
      `function "${name}" is published to ${onlyText(groups)}, and ${host}; send it to one of those`,
    );
  const wanted = wantedGroups(groups, headers, seed);
  if (placesFor([{ labels }], groups, wanted).length > 0) return undefined;
  const kinds = groupKinds.filter((kind) => wanted[kind] !== undefined && wanted[kind] !== labels[kind]).join(' and ');
  return new SwiftletError(
    'GroupElsewhere',
    `the request for function "${name}" is for another ${kinds}, and ${host}; send it to a host of that group, or let "missing: any" in "groups" take it here`,
  );
}
