import { besideMany } from '../beside-many.ts';
import { routePath, startGatewayRole } from '../gateway-role.ts';
import type { Scenario } from '../scenario.ts';

const few = 100;
const many = { functions: 500, routesEach: 200 };

/** What it costs a request that there are many routes beside its own: of the gateway alone, which is all that a warm request meets. */
export const routing: Scenario = {
  name: 'routing',
  title: 'the gateway alone, 1 connection, 100,000 routes of 500 functions',
  byDefault: true,
  async run(context) {
    context.progress('publishing to two gateways');
    await using plain = await startGatewayRole(1, 1, few);
    await using crowded = await startGatewayRole(1, many.functions, many.routesEach);
    const one = { name: 'a hundred routes', url: `${plain.url}/@t0${routePath(0, few - 1, '7')}` };
    const last = { name: 'many', url: `${crowded.url}/@t0${routePath(many.functions - 1, many.routesEach - 1, '7')}` };
    return await besideMany(context, one, last, 1.05);
  },
};
