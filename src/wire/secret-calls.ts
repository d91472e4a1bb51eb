/**
 * How secrets come to those who use them: control asks the agent, and the events role, each by its own socket, which nobody else can listen
 * on; and gateways, for what callers of an address sign with, and nothing else. In clear; they are in no published state, and relays never have any.
 */
import { z } from 'zod';

const ofTenant = { tenant: z.string(), name: z.string() };

/**
 * Ask `secrets`: what a role is to have of them, as far as it differs from what it was told before.
 * Answered with nothing, once starts use it.
 */
export const secretsSchema = z.object({
  /** The first of a connection: whatever was told before is forgotten. */
  isFirst: z.boolean(),
  put: z.array(z.object({ ...ofTenant, version: z.int(), value: z.string() })),
  drop: z.array(z.object(ofTenant)),
});
export type SecretsNotice = z.output<typeof secretsSchema>;

/** Ask `secretUse`: with which values of a secret instances run. */
export const askSecretUseSchema = z.object(ofTenant);
export const secretUseSchema = z.object({
  /** With the newest value that the agent knows. */
  current: z.int(),
  /** With another one: they are being replaced. */
  older: z.int(),
  /** Why a replacement did not start. */
  failure: z.string().optional(),
});
export type SecretUse = z.output<typeof secretUseSchema>;

/** Notice `retire`, from an agent to the gateway that has a lease: no more requests to this instance; another one is there. */
export const retireSchema = z.object({ instanceId: z.string() });
export type Retire = z.output<typeof retireSchema>;

export const secretKey = (tenant: string, name: string): string => `${tenant}/${name}`;
