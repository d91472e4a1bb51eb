import { z } from 'zod';

/** Names of functions, aliases, tenants and what they have: safe in a path, a URL, a metric and a cgroup, and as they are usual at other platforms. */
export const namePattern = /^[A-Za-z][A-Za-z0-9]*(?:[-_][A-Za-z0-9]+)*$/;
export const maxNameLength = 64;

export const nameRule = `letters, digits and single hyphens or underscores between them, starting with a letter, at most ${String(maxNameLength)} characters`;

export const nameSchema = z
  .string()
  .max(maxNameLength, `a name is ${nameRule}`)
  .regex(namePattern, `a name is ${nameRule}`)
  // Every object has something of that name: whoever looks a name up in one would find it.
  .refine((name) => !(name in Object.prototype), 'this name cannot be given: JavaScript has it for something else');

/** The tenant that is always there, for those who name none. */
export const defaultTenant = 'default';
