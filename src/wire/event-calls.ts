/** What gateways and control say to the events role about stored events. It serves; all bodies are parsed by these schemas at its door. */
import { z } from 'zod';
import { callerSchema } from '../model/caller.ts';
import { maxEventKeyLength } from '../model/limits.ts';
import { nameSchema } from '../model/names.ts';
import { queueTargetSchema } from '../model/queue-target.ts';

export const eventIdSchema = z.uuid('an event’s id is a UUID, as the 202 has it');

/**
 * What is to be handed to the function: an HTTP request as it came, or an event that is the handler's first argument. Headers are names
 * and values in turn, without those that end at the gateway; an event has none but the trace that it belongs to.
 */
/** As `InvokeWay` of the instance protocol. */
export const invokeWaySchema = z
  .tuple([
    z.string(),
    z.array(z.string()).readonly(),
    z
      .union([
        z.object({ jwt: z.object({ claims: z.record(z.string(), z.string()), scopes: z.array(z.string()).readonly().nullable() }) }),
        z.object({ iam: z.record(z.string(), z.string().nullable()) }),
      ])
      .optional(),
  ])
  .readonly();

export const callerRequestSchema = z.object({
  kind: z.enum(['http', 'event']),
  method: z.string(),
  /** What follows the function's name; begins with `/`. */
  target: z.string(),
  sourceIp: z.string(),
  headers: z.array(z.string()),
  /** The invocation that caused it, when a function sent it. */
  caller: callerSchema.optional(),
  /** The lane that it is in; absent: the main one. */
  lane: nameSchema.optional(),
  /** By which route it came, and who sent it; absent: by its function's own address, and nobody was asked. */
  way: invokeWaySchema.optional(),
  /** It has items of a source, and an answer that names some as failed (`batchItemFailures`) is a failure. */
  reportsItems: z.boolean().optional(),
});
export type CallerRequest = z.output<typeof callerRequestSchema>;

export const webhookRequestSchema = z.object({
  kind: z.literal('webhook'),
  url: z.string(),
  /** The variable of the function's environment that has the secret. */
  secretVariable: z.string(),
});
export type WebhookRequest = z.output<typeof webhookRequestSchema>;

export const queueRequestSchema = z.object({ kind: z.literal('queue'), to: queueTargetSchema });
export type QueueRequest = z.output<typeof queueRequestSchema>;

/** What an event sends: a caller's request to its function, or what its function's destination has, to a webhook or a queue. */
export const eventRequestSchema = z.discriminatedUnion('kind', [callerRequestSchema, webhookRequestSchema, queueRequestSchema]);
export type EventRequest = z.output<typeof eventRequestSchema>;

const keySchema = z.string().min(1).max(maxEventKeyLength);

/**
 * Ask `accept`, from gateways: store this event. Answered with `acceptedSchema` once it is on the disk, or refused with
 * IdempotencyKeyReused. The same id again changes nothing.
 */
export const acceptSchema = z.object({
  id: eventIdSchema,
  tenant: nameSchema,
  function: nameSchema,
  request: callerRequestSchema,
  /** Base64. */
  body: z.string(),
  /** Events of one key are delivered one at a time, in the order in which they were accepted. */
  orderKey: keySchema.optional(),
  /** An event with the same key that was accepted within the function's window is this one. */
  idempotencyKey: keySchema.optional(),
  /** Invocations in a row that functions caused, this one among them. Too many, and it is stored as a dead letter. */
  hops: z.int().min(0).default(0),
});

/** The id under which it is stored: an earlier one's when its idempotency key came before. Absent from older releases: as it was asked. */
export const acceptedSchema = z.object({ id: eventIdSchema.optional() });

export const eventStates = ['waiting', 'running', 'succeeded', 'dead-lettered', 'discarded'] as const;
export type EventState = (typeof eventStates)[number];

/** Why an event ended without success: no attempt is left, it is too old, no attempt can ever help, or functions went on causing each other. */
export const failureReasons = ['attempts', 'age', 'refused', 'recursion'] as const;
export type FailureReason = (typeof failureReasons)[number];

export const eventErrorSchema = z.object({ code: z.string(), message: z.string() });
export type EventError = z.output<typeof eventErrorSchema>;

/** What the function answered, as far as it is kept. */
export const eventResultSchema = z.object({
  status: z.int(),
  contentType: z.string().optional(),
  body: z.string(),
  encoding: z.enum(['utf8', 'base64']),
  isTruncated: z.boolean().describe('Whether only the beginning of the answer was kept'),
});
export type EventResult = z.output<typeof eventResultSchema>;

const time = z.iso.datetime();

/** One event as users see it. */
export const eventSchema = z.object({
  id: z.string(),
  function: nameSchema,
  state: z.enum(eventStates),
  acceptedAt: time,
  attempts: z.int().describe('Attempts that are over and that may have reached the function'),
  nextAttemptAt: time.optional().describe('The earliest time of the next attempt, while it waits'),
  endedAt: time.optional(),
  result: eventResultSchema.optional().describe('What the function answered, when it succeeded'),
  reason: z.enum(failureReasons).optional().describe('Why it ended without success'),
  error: eventErrorSchema.optional().describe('What went wrong last'),
});
export type EventView = z.output<typeof eventSchema>;

/** Ask `event`: one event, or EventNotFound. */
export const eventQuerySchema = z.object({ tenant: nameSchema, id: eventIdSchema });

/** Ask `deadLetters`: a page, oldest first. Answered with `deadLetterPageSchema`. */
export const deadLetterQuerySchema = z.object({
  tenant: nameSchema,
  function: nameSchema.optional(),
  after: z.string().optional(),
  limit: z.int().min(1).max(1_000),
});
export const deadLetterPageSchema = z.object({ events: z.array(eventSchema), next: z.string().optional() });

/** Ask `deadLetter`: one with what was accepted, to the byte. */
export const deadLetterSchema = z.object({
  event: eventSchema,
  request: eventRequestSchema,
  body: z.string().describe('Base64'),
});
export type DeadLetter = z.output<typeof deadLetterSchema>;

/** Some dead letters: by id, all of a function, or all. */
export const selectionSchema = z.union([
  z.strictObject({ ids: z.array(eventIdSchema).min(1).max(1_000) }),
  z.strictObject({ function: nameSchema }),
  z.strictObject({ all: z.literal(true) }),
]);
export type Selection = z.output<typeof selectionSchema>;

/** Ask `redrive` or `purge`. They work through so many at a time; `more` says that the same call finds others. */
export const selectSchema = z.object({ tenant: nameSchema, selection: selectionSchema });
export const selectedSchema = z.object({ count: z.int(), more: z.boolean() });
