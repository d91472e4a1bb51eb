/** `Cors` of a function URL, with Lambda's limits, and what it is here. Pure. */
import { z } from 'zod';
import { wrong } from '../../lambda/lambda-error.ts';
import { type CorsConfig, corsSchema } from '../../model/cors.ts';

const names = z.array(z.string().min(1).max(1_024)).max(100);

export const urlCorsSchema = z.strictObject({
  AllowCredentials: z.boolean().optional(),
  AllowHeaders: names.optional(),
  AllowMethods: z.array(z.string().min(1).max(6)).max(6).optional(),
  AllowOrigins: z.array(z.string().min(1).max(253)).max(100).optional(),
  ExposeHeaders: names.optional(),
  MaxAge: z.int().min(0).max(86_400).optional(),
});
export type UrlCors = z.output<typeof urlCorsSchema>;

/** @returns undefined: it says nothing @throws LambdaError InvalidParameterValueException */
export function corsOf(cors: UrlCors | undefined): CorsConfig | undefined {
  if (cors === undefined || Object.keys(cors).length === 0) return undefined;
  const { AllowMethods: methods = ['*'], AllowHeaders: headers, ExposeHeaders: expose, MaxAge: seconds } = cors;
  const parsed = corsSchema.safeParse({
    origins: cors.AllowOrigins ?? [],
    ...(methods.includes('*') ? {} : { methods: methods.map((method) => method.toUpperCase()) }),
    ...(headers === undefined ? {} : { headers: headers.map((name) => name.toLowerCase()) }),
    ...(expose === undefined ? {} : { expose: expose.map((name) => name.toLowerCase()) }),
    credentials: cors.AllowCredentials ?? false,
    ...(seconds === undefined ? {} : { maxAgeMs: seconds * 1_000 }),
  });
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw wrong(`Cors: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'is not taken'}`, parsed.error);
}
