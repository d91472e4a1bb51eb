import { z } from 'zod';
import * as limits from './limits.ts';
import { nameSchema } from './names.ts';

/** How a function finds a secret: as the value of a variable, or as a file whose path the variable has. */
export const secretForms = ['environment', 'file'] as const;
export type SecretForm = (typeof secretForms)[number];

/** A function's reference to a secret of its tenant. Never the value: configurations are published, shown and kept. */
export const secretReferenceSchema = z.strictObject({ secret: nameSchema, as: z.enum(secretForms).default('environment') });
export type SecretReference = z.output<typeof secretReferenceSchema>;

const variableSchema = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'a variable is named with letters, digits and underscores, not starting with a digit')
  .refine((name) => !name.startsWith('SWIFTLET_'), 'names that start with SWIFTLET_ are the platform’s');

/** A function's secrets by the variable that each is found by. */
export const secretReferencesSchema = z
  .record(variableSchema, secretReferenceSchema)
  .refine(
    (references) => Object.keys(references).length <= limits.maxSecretReferences,
    `a function has at most ${String(limits.maxSecretReferences)} secrets`,
  );
export type SecretReferences = z.output<typeof secretReferencesSchema>;

/** The names of the secrets that a configuration refers to, each once, in order. */
export const secretNames = (references: SecretReferences): string[] =>
  [...new Set(Object.values(references).map(({ secret }) => secret))].sort();

const allowedText = /^[^\p{Cc}\p{Cs}]*$/u;
const lineText = /[\t\n\r]/g;

/**
 * A secret's value: text that can be a variable, and that is long enough to be recognised in a log. A key that is no text is set in
 * Base64.
 */
export const secretValueSchema = z
  .string('the value is text')
  .refine(
    (value) => Buffer.byteLength(value) >= limits.secretBytes.min,
    `a secret has at least ${String(limits.secretBytes.min)} bytes: what is shorter can be guessed, and cannot be told from other text in a log`,
  )
  .refine(
    (value) => Buffer.byteLength(value) <= limits.secretBytes.max,
    `a secret has at most ${String(limits.secretBytes.max)} bytes; put what is larger where the function can fetch it with a secret`,
  )
  .refine(
    (value) => allowedText.test(value.replace(lineText, '')),
    'a secret is text without control characters; set what is binary in Base64',
  );
