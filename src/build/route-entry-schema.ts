/** Which requests a function takes beside those for its own address, in `swiftlet.yaml`. */
import { z } from 'zod';
import { anyMethod, routeMethods } from '../model/http-route.ts';
import * as limits from '../model/limits.ts';
import { nameSchema } from '../model/names.ts';
import { rateEntrySchema } from './protect-entry-schema.ts';
import { bytesSchema, durationSchema } from './quantities.ts';

const whatItHas =
  'a route is a line such as "GET /users/{id}", or has path, and may have host, methods, alias, body, headers, timeout and rates';
const inOneLine = /^(?:([A-Z]+) )?([^/ ]*)(\/[^ ]*)$/;

const methodSchema = z.enum(routeMethods, `it is ${routeMethods.join(', ')}; without methods a route takes all`);

const shortSchema = z
  .string()
  .regex(inOneLine, 'it is like "GET /users/{id}", "GET api.example.com/users/{id}", or "/users/{id}" for any method')
  .meta({ examples: ['GET /users/{id}', 'ANY api.example.com/files/{path+}'] })
  .transform((text, context) => {
    const [, method = anyMethod, host = '', path = ''] = inOneLine.exec(text) ?? [];
    const known = method === anyMethod ? undefined : methodSchema.safeParse(method);
    if (known?.success === false) {
      context.addIssue(`"${method}" is no method here: it is ${routeMethods.join(', ')} or ${anyMethod}`);
      return z.NEVER;
    }
    return { path, ...(host === '' ? {} : { host }), ...(known === undefined ? {} : { methods: [known.data] }) };
  });

const longSchema = z.strictObject(
  {
    path: z.string().describe('/users/{id}; {path+} at the end stands for all that is below'),
    host: z.string().optional().describe('api.example.com, or *.example.com; default: whichever'),
    methods: z.array(methodSchema, 'it is a list of methods, such as [GET, POST]').optional().describe('Default: all'),
    alias: nameSchema.optional().describe('Where the requests go, instead of live'),
    body: bytesSchema(limits.routeBodyBytes).optional().describe('Of a request’s body, at most; default 6 MiB'),
    headers: bytesSchema(limits.routeHeaderBytes).optional().describe('Of all headers together, at most; default 64 KiB'),
    timeout: durationSchema(limits.routeTimeoutMs).optional().describe('To the answer, waiting included; default: as the function has it'),
    rates: z
      .array(rateEntrySchema, 'it is a list of rates, such as "- { perSecond: 100 }"')
      .optional()
      .describe('Requests a second, beside those of the function; more get 429'),
  },
  whatItHas,
);

/** What is wrong with the one of the two that it was meant to be. */
export const routeEntrySchema = z.union([shortSchema, longSchema], {
  error: ({ input, errors }) => {
    const issue = (errors as readonly (readonly z.core.$ZodIssue[])[] | undefined)?.[typeof input === 'string' ? 0 : 1]?.[0];
    if (issue === undefined || issue.code === 'unrecognized_keys') return whatItHas;
    return [...issue.path.map(String), issue.message].join(': ');
  },
});
export type RouteEntry = z.output<typeof routeEntrySchema>;
