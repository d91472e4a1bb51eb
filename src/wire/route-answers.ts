/** What the control API answers about routes. */
import { z } from 'zod';

export const routeViewSchema = z.object({
  method: z.string().describe('ANY: each that no other route takes'),
  host: z.string().optional().describe('Absent: whichever host'),
  path: z.string(),
  function: z.string(),
  alias: z.string().optional().describe('Absent: live'),
});
export type RouteView = z.output<typeof routeViewSchema>;
export const routesViewSchema = z.object({ routes: z.array(routeViewSchema) });
