/** Which of this platform's agents a request is for, by its groups: before its lane and its version. Pure. Budget: nothing for functions without groups. */
import type { IncomingHttpHeaders } from 'node:http';
import { SwiftletError } from '../../model/errors.ts';
import {
  type GroupKind,
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
 * The agents that may have a request, of this platform's, or why none may.
 * @param name the function's
 * @param agents with their labels
 * @param seed the function's key
 */
export function agentsOfGroup<Agent extends { readonly labels: Labels }>(
  name: string,
  groups: GroupsConfig,
  agents: readonly Agent[],
  headers: IncomingHttpHeaders,
  seed: string,
): readonly Agent[] | SwiftletError {
  const host = hereText(agents);
  if (!agents.some(({ labels }) => isPublishedTo(groups, labels)))
    return new SwiftletError(
      'GroupElsewhere',
      `function "${name}" is published to ${onlyText(groups)}, and ${host}; send it to one of those`,
    );
  const wanted = wantedGroups(groups, headers, seed);
  const found = placesFor(agents, groups, wanted);
  if (found.length > 0) return found;
  const isMissing = (kind: GroupKind) => wanted[kind] !== undefined && agents.every(({ labels }) => wanted[kind] !== labels[kind]);
  const missing = groupKinds.filter(isMissing);
  // Each of them is here, and nowhere together.
  const kinds = (missing.length > 0 ? missing : groupKinds.filter((kind) => wanted[kind] !== undefined)).join(' and ');
  return new SwiftletError(
    'GroupElsewhere',
    `the request for function "${name}" is for another ${kinds}, and ${host}; send it to a host of that group, or let "missing: any" in "groups" take it here`,
  );
}

function hereText(agents: readonly { readonly labels: Labels }[]): string {
  const here = [...new Set(agents.map(({ labels }) => labelsText(labels)))].map((text) => (text === '' ? 'of none' : `of ${text}`));
  if (here.length > 1) return `this platform's agents are ${here.join('; ')}`;
  return here[0] === 'of none' ? 'this host has no labels' : `this host is ${here[0] ?? 'of none'}`;
}
