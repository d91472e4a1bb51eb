import { availableParallelism, freemem } from 'node:os';
import ipaddr from 'ipaddr.js';
import { z } from 'zod';
import { SwiftletError } from '../../model/errors.ts';
import { defaultEventLogMiB, defaultTenantInFlight } from '../../model/limits.ts';
import { homeFolder, runFolder } from '../../role/home.ts';
import { isolationModes } from '../../role/role-config.ts';

/** What one sandbox is reckoned to take when a limit on their number is derived from memory. */
const bytesPerSandbox = 24 * 1024 * 1024;
const port = z.coerce.number().int().min(0).max(65_535);
const count = (min: number, max: number) => z.coerce.number().int().min(min).max(max);

const environmentSchema = z.object({
  SWIFTLET_GATEWAY_PORT: port.default(8080),
  SWIFTLET_API_PORT: port.default(8081),
  SWIFTLET_HOST: z.string().min(1).default('127.0.0.1'),
  SWIFTLET_ISOLATION: z.enum(['auto', ...isolationModes]).default('auto'),
  SWIFTLET_POOL_SIZE: count(0, 1_000).default(8),
  SWIFTLET_BOOTS_AT_ONCE: count(1, 64).default(Math.max(1, Math.floor(availableParallelism() / 2))),
  SWIFTLET_MAX_SANDBOXES: count(1, 5_000).optional(),
  SWIFTLET_TENANT_IN_FLIGHT: count(1, 1_000_000).default(defaultTenantInFlight),
  SWIFTLET_EVENT_LOG_MIB: count(1, 1_048_576).default(defaultEventLogMiB),
  SWIFTLET_WEBHOOK_ALLOW: z
    .string()
    .default('')
    .transform((text) => text.split(',').flatMap((range) => (range.trim() === '' ? [] : [range.trim()])))
    .refine(
      (ranges) => ranges.every((range) => ipaddr.isValidCIDR(range)),
      'it is ranges of addresses, joined by commas, such as 10.0.0.0/8',
    ),
  SWIFTLET_GRACE_MS: count(0, 600_000).default(2_000),
});

/** What `swiftlet up` was told, complete. */
export interface UpOptions {
  readonly home: string;
  readonly run: string;
  readonly host: string;
  readonly gatewayPort: number;
  readonly apiPort: number;
  readonly isolation: (typeof isolationModes)[number] | 'auto';
  readonly poolSize: number;
  readonly bootsAtOnce: number;
  readonly maxSandboxes: number;
  readonly tenantInFlight: number;
  readonly eventLogMiB: number;
  readonly webhookAllow: readonly string[];
  readonly graceMs: number;
}

/**
 * Reads the environment; flags have been put into it by the command.
 * @throws SwiftletError BadRequest that names the variable
 */
export function upOptions(environment: NodeJS.ProcessEnv): UpOptions {
  const parsed = environmentSchema.safeParse(environment);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new SwiftletError('BadRequest', `${String(issue?.path[0] ?? 'an option')}: ${issue?.message ?? 'is not valid'}`);
  }
  const value = parsed.data;
  const home = homeFolder(environment);
  return {
    home,
    run: runFolder(home, environment),
    host: value.SWIFTLET_HOST,
    gatewayPort: value.SWIFTLET_GATEWAY_PORT,
    apiPort: value.SWIFTLET_API_PORT,
    isolation: value.SWIFTLET_ISOLATION,
    poolSize: value.SWIFTLET_POOL_SIZE,
    bootsAtOnce: value.SWIFTLET_BOOTS_AT_ONCE,
    maxSandboxes: value.SWIFTLET_MAX_SANDBOXES ?? Math.min(1_000, Math.max(16, Math.floor(freemem() / bytesPerSandbox))),
    tenantInFlight: value.SWIFTLET_TENANT_IN_FLIGHT,
    eventLogMiB: value.SWIFTLET_EVENT_LOG_MIB,
    webhookAllow: value.SWIFTLET_WEBHOOK_ALLOW,
    graceMs: value.SWIFTLET_GRACE_MS,
  };
}
