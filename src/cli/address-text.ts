/** Who may call a function's address, from where, and by which lane, in words. */
import { methodsOf, routeText } from '../model/http-route.ts';
import type { Described } from './api-client.ts';
import { printable } from './printable.ts';

type Address = Pick<Described['serving']['config'], 'url' | 'lanes' | 'cors' | 'routes'>;

export const addressFacts = ({ url, lanes, cors, routes }: Address): string[][] => [
  ...routes.flatMap((route) => methodsOf(route).map((method) => ['route', routeText(route, method)])),
  ...(url === undefined ? [] : [['url', urlText(url)]]),
  ...(cors === undefined ? [] : [['cors', `${cors.origins.join(', ')}${cors.credentials ? ', with credentials' : ''}`]]),
  ...(lanes === undefined ? [] : [['lanes', lanesText(lanes)]]),
];

function urlText(url: NonNullable<Address['url']>): string {
  if (typeof url === 'string') return url;
  if (url.kind === 'jwt') return printable(`a token of ${url.issuer} for ${url.audience.join(' or ')}`);
  return `a signature with the secret in ${url.secretVariables.join(' or ')}, at most ${url.skewMs} ms old`;
}

const lanesText = ({ by, missing }: NonNullable<Address['lanes']>): string =>
  `by the ${'header' in by ? `header ${by.header}` : `cookie ${by.cookie}`}; without the lane asked for: ${missing === 'main' ? 'the main one' : 'refused'}`;
