/** Who may call a function's address, from where, and by which lane, in words. */
import { groupKinds, type GroupRule, onlyText } from '../model/groups.ts';
import { methodsOf, routeText } from '../model/http-route.ts';
import type { Described } from './api-client.ts';
import { printable } from './printable.ts';

type Address = Pick<Described['serving']['config'], 'url' | 'lanes' | 'groups' | 'cors' | 'routes'>;

export const addressFacts = ({ url, lanes, groups, cors, routes }: Address): string[][] => [
  ...routes.flatMap((route) => methodsOf(route).map((method) => ['route', routeText(route, method)])),
  ...(url === undefined ? [] : [['url', urlText(url)]]),
  ...(cors === undefined ? [] : [['cors', `${cors.origins.join(', ')}${cors.credentials ? ', with credentials' : ''}`]]),
  ...(lanes === undefined ? [] : [['lanes', lanesText(lanes)]]),
  ...(groups === undefined ? [] : groupFacts(groups)),
];

function urlText(url: NonNullable<Address['url']>): string {
  if (typeof url === 'string') return url;
  if (url.kind === 'jwt') return printable(`a token of ${url.issuer} for ${url.audience.join(' or ')}`);
  return `a signature with the secret in ${url.secretVariables.join(' or ')}, at most ${url.skewMs} ms old`;
}

const lanesText = ({ by, missing }: NonNullable<Address['lanes']>): string =>
  `by the ${'header' in by ? `header ${by.header}` : `cookie ${by.cookie}`}; without the lane asked for: ${missing === 'main' ? 'the main one' : 'refused'}`;

function groupFacts({ only, by, missing }: NonNullable<Address['groups']>): string[][] {
  const published = onlyText({ only });
  const chosen = groupKinds.flatMap((kind) => (by[kind] === undefined ? [] : [`${kind} ${ruleText(by[kind])}`]));
  const without = missing === 'any' ? 'any host' : 'refused';
  return [
    ...(published === '' ? [] : [['published to', published]]),
    ...(chosen.length === 0 ? [] : [['groups', `${chosen.join(', ')}; without a host of the group asked for: ${without}`]]),
  ];
}

const ruleText = ({ header, cookie = '', among }: GroupRule): string =>
  `by the ${header === undefined ? `cookie ${cookie}` : `header ${header}`}${among === undefined ? '' : ` among ${among.join(', ')}`}`;
