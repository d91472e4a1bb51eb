import { z } from 'zod';
import type { ApiClient } from './api-client.ts';
import { colours } from './colours.ts';
import { table } from './table.ts';

// A platform of before does not say it.
const platformSchema = z.object({ gateways: z.array(z.object({ number: z.int(), ready: z.boolean(), detail: z.string() })).default([]) });
export type Gateways = z.output<typeof platformSchema>['gateways'];

export const readGateways = async (api: ApiClient): Promise<Gateways> => (await api.json(platformSchema, 'GET', '/v1/platform')).gateways;

/** How each gateway is; undefined where nothing is known of them. */
export const gatewaysTable = (gateways: Gateways): string | undefined =>
  gateways.length === 0
    ? undefined
    : table(
        ['GATEWAY', '', ''],
        gateways.map(({ number, ready, detail }) => [String(number), ready ? colours.green('good') : colours.yellow('look'), detail]),
      );
