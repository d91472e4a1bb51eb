/** What Lambda's API says of a function, and a version has no place for. */
import { z } from 'zod';
import type { Version } from '../../model/function.ts';
import { mappingFieldsSchema } from './mapping-fields.ts';
import { urlCorsSchema } from './url-cors.ts';
import { statementSchema } from './statement.ts';

export const architectures = ['x86_64', 'arm64'] as const;
export const urlAuthTypes = ['NONE', 'AWS_IAM'] as const;
export const invokeModes = ['BUFFERED', 'RESPONSE_STREAM'] as const;

/** A package as it was sent: its SHA-256 in Base64, and its bytes. */
const packageSchema = z.object({ sha256: z.string(), bytes: z.int() });
export type SentPackage = z.output<typeof packageSchema>;

const urlSchema = z.object({
  authType: z.enum(urlAuthTypes),
  invokeMode: z.enum(invokeModes).default('BUFFERED'),
  /** As it was said; what follows from it is a part of the configuration. */
  cors: urlCorsSchema.optional(),
  createdAt: z.string(),
  changedAt: z.string(),
});
/** A function's address as Lambda has it. */
export type UrlRecord = z.output<typeof urlSchema>;

const mappingSchema = z.object({
  uuid: z.string(),
  createdAt: z.string(),
  changedAt: z.string(),
  fields: mappingFieldsSchema,
  tags: z.record(z.string(), z.string()),
});
/** An event source mapping, as it was made and changed. What follows from it is a source of the function. */
export type MappingRecord = z.output<typeof mappingSchema>;

export const lambdaRecordSchema = z.object({
  description: z.string(),
  /** An ARN. Nothing follows from it: what a function may do is said elsewhere. */
  role: z.string(),
  architecture: z.enum(architectures),
  /** By the digests of the artifacts that were made of them. */
  packages: z.record(z.string(), packageSchema),
  /** Descriptions of aliases, by their names. */
  aliases: z.record(z.string(), z.string()),
  /** Descriptions of versions that were published with one, by their numbers. */
  versions: z.record(z.string(), z.string()).default({}),
  /** Its resource policy. */
  statements: z.array(statementSchema).default([]),
  /** Its address as Lambda has it, when one was made. */
  url: urlSchema.optional(),
  tags: z.record(z.string(), z.string()).default({}),
  /** Why what serves lacks the SDK that its code counts on; absent: it lacks nothing. */
  lacks: z.string().optional(),
  /** Its event source mappings, by their ids. */
  mappings: z.record(z.string(), mappingSchema).default({}),
});
export type LambdaRecord = z.output<typeof lambdaRecordSchema>;

/** Of more versions than are kept nobody asks. */
const maxVersions = 32;

export const hostArchitecture: LambdaRecord['architecture'] = process.arch === 'arm64' ? 'arm64' : 'x86_64';

/** Of a function that was deployed otherwise. */
export const usualRecord: LambdaRecord = {
  description: '',
  role: 'arn:aws:iam::000000000000:role/swiftlet',
  architecture: hostArchitecture,
  packages: {},
  aliases: {},
  versions: {},
  statements: [],
  tags: {},
  mappings: {},
};

/** With one more package; the oldest ones go. */
export const withPackage = (record: LambdaRecord, digest: string, sent: SentPackage): LambdaRecord => ({
  ...record,
  packages: Object.fromEntries(
    [...Object.entries(record.packages).filter(([other]) => other !== digest), [digest, sent] as const].slice(-maxVersions),
  ),
});

/** With what a version was published with, unless it was published before; the oldest ones go. */
export function withVersion(record: LambdaRecord, number: number, description: string): LambdaRecord {
  const all: LambdaRecord['versions'] = { [number]: description, ...record.versions };
  // Keys that are numbers stand in their order.
  return { ...record, versions: Object.fromEntries(Object.entries(all).slice(-maxVersions)) };
}

/** The package of a version; of one that was deployed otherwise its artifact. */
export const packageOf = ({ packages }: LambdaRecord, { digest, size }: Version): SentPackage =>
  packages[digest] ?? { sha256: Buffer.from(digest, 'hex').toString('base64'), bytes: size };
