/** A tenant: one of several who share the platform, and what it may take of it. */
import { z } from 'zod';
import { SwiftletError } from './errors.ts';
import { hostSchema } from './http-route.ts';
import { maxTenantHosts } from './limits.ts';
import { defaultTenant, nameSchema } from './names.ts';
import { networkPolicySchema } from './network-policy.ts';
import type { UrlAuth } from './url-auth.ts';

/** Who may call a function at its address: anyone, or whoever has a token with the right to invoke it. */
export const urlRules = ['public', 'token'] as const;
export type UrlRule = (typeof urlRules)[number];

/** Where a rule for a function's callers may stand; the first of them that is there holds. */
export interface UrlRules {
  readonly ofFunction: UrlRule | UrlAuth | undefined;
  readonly ofTenant: UrlRule | undefined;
  /** As the platform was started: for its first tenant only. */
  readonly ofPlatform: UrlRule;
}

export const urlRuleOf = (tenant: string, { ofFunction, ofTenant, ofPlatform }: UrlRules): UrlRule | UrlAuth =>
  ofFunction ?? ofTenant ?? (tenant === defaultTenant ? ofPlatform : 'token');

/** By what callers are told apart, in a word. */
export const callerKinds = [...urlRules, 'jwt', 'hmac'] as const;
export type CallerKind = (typeof callerKinds)[number];

const amount = z.int().min(0).max(Number.MAX_SAFE_INTEGER).optional();

/** Absent: no limit but the platform's own. */
export const quotasSchema = z.strictObject({
  functions: amount.describe('Functions'),
  concurrency: amount.describe('Requests under way or waiting at once, at one gateway'),
  memoryMiB: amount.describe('Memory of all its instances on one host together, as their functions have it configured'),
  gbSecondsPerDay: amount.describe('What its functions use on a day (UTC)'),
  storageMiB: amount.describe('Its artifacts together, packed'),
  requestsPerSecond: amount.describe('Requests a second, at one gateway; as many may come at once'),
  asyncBacklog: amount.describe('Events that are stored and have not ended'),
});
export type Quotas = Readonly<z.output<typeof quotasSchema>>;
export const quotaNames = quotasSchema.keyof().options;
export type QuotaName = keyof Quotas;

export const tenantSettingsSchema = z.strictObject({
  quotas: quotasSchema.default({}),
  /** Its share of the processors where they are short: twice the weight, twice the time. */
  cpuWeight: z.int().min(1).max(1_000).default(100),
  /** For functions that do not say it themselves; absent: as the platform was started. */
  urls: z.enum(urlRules).optional(),
  /** That routes of its functions may name; the first tenant may name all that no other one was given. */
  hosts: z.array(hostSchema).max(maxTenantHosts).readonly().optional(),
  /** Of functions that are deployed without a policy; absent: internet. */
  network: networkPolicySchema.optional(),
});
export type TenantSettings = Readonly<z.output<typeof tenantSettingsSchema>>;

export const tenantSchema = tenantSettingsSchema.extend({ name: nameSchema, createdAt: z.iso.datetime() });
export type Tenant = Readonly<z.output<typeof tenantSchema>>;

/** What is refused for a quota names it, and its value. @param more what would be too much, or when it is free again */
export const quotaExceeded = (tenant: string, quota: QuotaName, value: number, more: string, retryAfterMs = 1_000): SwiftletError =>
  new SwiftletError(
    'QuotaExceeded',
    `tenant "${tenant}" has its quota "${quota}" of ${value} full: ${more}; use less, or ask who runs the platform for more`,
    { place: quota, limit: `${quota} of ${value}`, retryAfterMs },
  );
