import type { Version } from '../../model/function.ts';
import { methodsOf } from '../../model/http-route.ts';
import { judge } from '../../model/rights.ts';
import { routesViewSchema, type RouteView } from '../../wire/route-answers.ts';
import type { Api, ApiMeans } from './api.ts';
import { needs } from './authorise.ts';
import { problems } from './schemas.ts';

/** Which requests go to which function, beside those for functions' own addresses. */
export function httpRoutes(api: Api, { publisher }: Pick<ApiMeans, 'publisher'>): void {
  api.get('/v1/routes', {
    config: needs('read', 'some function'),
    schema: {
      summary: 'List routes',
      description: 'As they are in force, by host, path and method. What a route limits is in its function’s configuration.',
      response: { 200: routesViewSchema, ...problems },
    },
    handler: ({ tenant, caller }) => {
      const seen = [...publisher.state.functions.values()].filter(
        (version) => version.tenant === tenant && judge(caller, 'read', { kind: 'function', tenant, name: version.function }) === 'granted',
      );
      return Promise.resolve({ routes: seen.flatMap(viewsOf).sort(byPlace) });
    },
  });
}

const viewsOf = ({ function: name, config }: Version): RouteView[] =>
  config.routes.flatMap((route) =>
    methodsOf(route).map((method) => ({ method, host: route.host, path: route.path, function: name, alias: route.alias })),
  );

const placeOf = ({ host = '', path, method }: RouteView): string => `${host} ${path} ${method}`;
const byPlace = (one: RouteView, other: RouteView): number => (placeOf(one) < placeOf(other) ? -1 : 1);
