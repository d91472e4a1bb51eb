/** What control asks and tells gateways and agents, second by second, so that the number of instances follows the load. */
import { z } from 'zod';
import { scaleSignals } from '../model/scale.ts';
import { scaleLimits } from '../model/scale-limit.ts';

const versionShape = { tenant: z.string(), function: z.string(), number: z.int() };

/** Ask `loads`, from control to a gateway: what versions had to do, for those that had anything within the last ten seconds. */
export const versionLoadSchema = z.object({
  ...versionShape,
  /** Since the gateway knows the version: milliseconds times requests that instances had, and requests that came. */
  busyMs: z.number(),
  requests: z.int(),
  /** Now, under way or waiting. */
  inFlight: z.int(),
});
export type VersionLoad = z.output<typeof versionLoadSchema>;
/** `process` tells one gateway from its successor, whose sums begin anew. */
export const loadsSchema = z.object({ process: z.string(), loads: z.array(versionLoadSchema) });
export type Loads = z.output<typeof loadsSchema>;

/** Ask `capacity`, from control to an agent: what it has of each version that has any instance. */
export const versionCapacitySchema = z.object({
  ...versionShape,
  /** Instances that are there or start. */
  running: z.int(),
  /** Milliseconds of processor time of those that are there, since each began; 0 when no signal of the function needs it. */
  cpuMs: z.number(),
  /** Their memory in use, in instances' limits; 0 when no signal of the function needs it. */
  memory: z.number(),
});
export type VersionCapacity = z.output<typeof versionCapacitySchema>;
export const capacitySchema = z.array(versionCapacitySchema);

/** Ask `lags`, from control to the events role: of functions that scale by it, the messages of their sources that wait or are being worked on. */
export const lagsQuerySchema = z.object({ functions: z.array(z.object({ tenant: z.string(), function: z.string() })) });
export const functionLagSchema = z.object({ tenant: z.string(), function: z.string(), messages: z.number() });
export type FunctionLag = z.output<typeof functionLagSchema>;
export const lagsSchema = z.array(functionLagSchema);

/** Notice `targets`, from control to an agent: all there are. They end by themselves after `validMs`, unless told again. */
export const versionTargetSchema = z.object({
  ...versionShape,
  /** Instances to have; 0 leaves it to requests that wait, and to the idle time. */
  target: z.int(),
  minimum: z.int(),
  maximum: z.int(),
});
export type VersionTarget = z.output<typeof versionTargetSchema>;
export const targetsSchema = z.object({ validMs: z.number(), targets: z.array(versionTargetSchema) });

/** Why a version's number of instances is what it is, for the API and `swiftlet describe`. */
export const scalingViewSchema = z.object({
  version: z.int(),
  target: z.int().describe('Instances to have; 0: requests that wait start what they need, and idle ones end'),
  minimum: z.int().describe('Provisioned instances now'),
  maximum: z.int().describe('Instances never exceeded now'),
  running: z.int().describe('Instances that are there or start'),
  inFlight: z.int().describe('Requests under way or waiting'),
  wanted: z.int().describe('Instances that the load wants'),
  signal: z.enum(scaleSignals).describe('The signal that wants most'),
  window: z.enum(['stable', 'burst']).describe('The window in which it does'),
  load: z.number().describe('The mean over that window: requests at once, requests a second, processors, instances’ memory, or messages'),
  perInstance: z.number().describe('What one instance is to have of it'),
  limitedBy: z.enum(scaleLimits).optional().describe('What keeps the number from being what the load wants'),
});
export type ScalingView = z.output<typeof scalingViewSchema>;
