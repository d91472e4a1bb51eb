import { besideMany } from '../beside-many.ts';
import { startGatewayRole } from '../gateway-role.ts';
import type { Scenario } from '../scenario.ts';

const many = { tenants: 10_000, functionsEach: 10 };

/** What it costs a request that there are many tenants beside its own: of the gateway alone, which is all that a warm request meets. */
export const manyTenants: Scenario = {
  name: 'many-tenants',
  title: 'the gateway alone, 1 connection, 10,000 tenants with 10 functions each',
  byDefault: true,
  async run(context) {
    context.progress('publishing to two gateways');
    await using few = await startGatewayRole(1, 1);
    await using crowded = await startGatewayRole(many.tenants, many.functionsEach);
    const one = { name: 'one tenant with one function', url: `${few.url}/@t0/f0` };
    const last = { name: 'many', url: `${crowded.url}/@t${many.tenants - 1}/f${many.functionsEach - 1}` };
    return await besideMany(context, one, last, 1.1);
  },
};
