import { z } from 'zod';

/** The runtimes a function can ask for. Each is a Node.js release line from the npm registry. */
export const runtimeNames = ['nodejs22', 'nodejs24', 'nodejs26'] as const;
export type RuntimeName = (typeof runtimeNames)[number];
export const runtimeSchema = z.enum(runtimeNames);
export const defaultRuntime: RuntimeName = 'nodejs26';
