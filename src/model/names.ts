import { z } from 'zod';

/** Names of functions and tenants: what DNS labels allow, so that a name is safe in a path, a URL, a metric and a cgroup. */
export const namePattern = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/;
export const maxNameLength = 63;

export const nameRule = `lower-case letters, digits and single hyphens, starting with a letter, at most ${String(maxNameLength)} characters`;

export const nameSchema = z.string().max(maxNameLength, `a name is ${nameRule}`).regex(namePattern, `a name is ${nameRule}`);

/** The tenant that is always there, for those who name none. */
export const defaultTenant = 'default';
