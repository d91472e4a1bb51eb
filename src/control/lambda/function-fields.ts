/** What Lambda's API takes to make and change a function, with its limits; and what it takes on AWS alone, refused by name. */
import { z } from 'zod';
import { LambdaError, wrong } from '../../lambda/lambda-error.ts';
import { lambdaRuntimes, runtimeOfLambda } from '../../model/lambda-runtimes.ts';
import type { RuntimeName } from '../../model/runtimes.ts';
import { architectures, hostArchitecture } from './lambda-record.ts';
import { tagsSchema } from './tags-schema.ts';

const maxEnvironmentBytes = 4 * 1024;
const rolePattern = /^arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role\/?[a-zA-Z_0-9+=,.@\-_/]+$/;
const environmentSchema = z.strictObject({
  Variables: z.record(z.string().regex(/^[a-zA-Z]\w+$/), z.string()).default({}),
});

/** What both making and changing take. */
const configurationShape = {
  Role: z.string().regex(rolePattern).optional(),
  Handler: z
    .string()
    .max(128)
    .regex(/^[^\s]+$/)
    .optional(),
  Runtime: z.string().max(64).optional(),
  Description: z.string().max(256).optional(),
  Timeout: z.int().min(1).max(900).optional(),
  MemorySize: z.int().min(128).max(10_240).optional(),
  Environment: environmentSchema.optional(),
  // Taken as long as they say what holds anyway.
  EphemeralStorage: z.strictObject({ Size: z.int().min(512).max(10_240) }).optional(),
  TracingConfig: z.strictObject({ Mode: z.string().optional() }).optional(),
  VpcConfig: z.strictObject({ SubnetIds: z.array(z.string()).optional(), SecurityGroupIds: z.array(z.string()).optional() }).optional(),
  DeadLetterConfig: z.strictObject({ TargetArn: z.string().optional() }).optional(),
  KMSKeyArn: z.string().optional(),
  Layers: z.array(z.string()).optional(),
  FileSystemConfigs: z.array(z.unknown()).optional(),
  ImageConfig: z.unknown().optional(),
  SnapStart: z.strictObject({ ApplyOn: z.string().optional() }).optional(),
  LoggingConfig: z.strictObject({ LogFormat: z.string().optional(), LogGroup: z.string().optional() }).optional(),
};
const codeShape = {
  /** In Base64; too long for a regular expression. */
  ZipFile: z.string().optional(),
  S3Bucket: z.string().optional(),
  S3Key: z.string().optional(),
  S3ObjectVersion: z.string().optional(),
  ImageUri: z.string().optional(),
};
const architecturesSchema = z.array(z.enum(architectures)).length(1).optional();

export const createSchema = z.strictObject({
  ...configurationShape,
  FunctionName: z.string().min(1).max(140),
  Code: z.strictObject(codeShape),
  PackageType: z.enum(['Zip', 'Image']).default('Zip'),
  Architectures: architecturesSchema,
  Publish: z.boolean().default(false),
  Tags: tagsSchema.optional(),
  CodeSigningConfigArn: z.string().optional(),
});
export const updateCodeSchema = z.strictObject({
  ...codeShape,
  Architectures: architecturesSchema,
  Publish: z.boolean().default(false),
  DryRun: z.boolean().default(false),
  RevisionId: z.string().optional(),
});
export const updateConfigurationSchema = z.strictObject({ ...configurationShape, RevisionId: z.string().optional() });

export type CreateFields = z.output<typeof createSchema>;
export type ConfigurationFields = z.output<typeof updateConfigurationSchema>;
export type CodeFields = Pick<z.output<typeof updateCodeSchema>, keyof typeof codeShape>;

/** @throws LambdaError ValidationException with each place, as Lambda's validation says it */
export function fieldsOf<Schema extends z.ZodType>(schema: Schema, body: unknown): z.output<Schema> {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const { issues } = parsed.error;
  const said = issues.map(({ path, message }) => `Value at '${placeOf(path)}' failed to satisfy constraint: ${message}`);
  throw new LambdaError(
    'ValidationException',
    `${issues.length} validation error${issues.length > 1 ? 's' : ''} detected: ${said.join('; ')}`,
  );
}

/** Lambda names members in messages with a small letter. */
const placeOf = (path: readonly PropertyKey[]): string =>
  path.map((part) => String(part).replace(/^[A-Z]/, (letter) => letter.toLowerCase())).join('.') || 'the body';

/** @throws LambdaError InvalidParameterValueException for what would be dropped silently otherwise */
export function demandSupported(fields: ConfigurationFields & Partial<Pick<CreateFields, 'PackageType' | 'CodeSigningConfigArn'>>): void {
  const { VpcConfig: vpc, LoggingConfig: logging } = fields;
  const unsupported = {
    PackageType: fields.PackageType === 'Image',
    FileSystemConfigs: (fields.FileSystemConfigs ?? []).length > 0,
    ImageConfig: fields.ImageConfig !== undefined && fields.ImageConfig !== null,
    VpcConfig: (vpc?.SubnetIds ?? []).length > 0 || (vpc?.SecurityGroupIds ?? []).length > 0,
    DeadLetterConfig: (fields.DeadLetterConfig?.TargetArn ?? '') !== '',
    KMSKeyArn: (fields.KMSKeyArn ?? '') !== '',
    TracingConfig: (fields.TracingConfig?.Mode ?? 'PassThrough') !== 'PassThrough',
    EphemeralStorage: (fields.EphemeralStorage?.Size ?? 512) !== 512,
    SnapStart: (fields.SnapStart?.ApplyOn ?? 'None') !== 'None',
    LoggingConfig: (logging?.LogFormat ?? 'Text') !== 'Text' || logging?.LogGroup !== undefined,
    CodeSigningConfigArn: fields.CodeSigningConfigArn !== undefined,
  };
  const [name] = Object.entries(unsupported).find(([, is]) => is) ?? [];
  if (name !== undefined) throw wrong(`${name} is not supported here with this value; leave it out`);
}

/** @throws LambdaError InvalidParameterValueException */
export function runtimeOf(named: string): RuntimeName {
  const runtime = runtimeOfLambda(named);
  if (runtime === undefined)
    throw wrong(
      `Value ${named} at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: [${lambdaRuntimes.join(', ')}]`,
    );
  return runtime;
}

/** @throws LambdaError InvalidParameterValueException */
export function demandArchitecture(wanted: readonly string[] | undefined): void {
  if (wanted === undefined || wanted[0] === hostArchitecture) return;
  throw wrong(`Architectures: functions run on ${hostArchitecture} here`);
}

/** @throws LambdaError InvalidParameterValueException */
export function variablesOf(environment: ConfigurationFields['Environment']): Record<string, string> | undefined {
  if (environment === undefined) return undefined;
  const variables = environment.Variables;
  const reserved = Object.keys(variables).filter((name) => /^(?:AWS_|LAMBDA_|SWIFTLET_)/.test(name));
  if (reserved.length > 0)
    throw wrong(
      `Lambda was unable to configure your environment variables because the environment variables you have provided contains reserved keys that are currently not supported for modification. Reserved keys used in this request: ${reserved.join(', ')}`,
    );
  const bytes = Buffer.byteLength(JSON.stringify(variables));
  if (bytes > maxEnvironmentBytes)
    throw wrong(
      `Lambda was unable to configure your environment variables because the environment variables you have provided exceeded the 4KB limit. String measured: ${bytes} bytes`,
    );
  return variables;
}

/** The package. @throws LambdaError InvalidParameterValueException */
export function zipOf({ ZipFile: zip, S3Bucket: bucket, ImageUri: image }: CodeFields): Buffer {
  if (bucket !== undefined || image !== undefined) throw wrong('Code comes as ZipFile here, not from S3 nor as an image');
  if (zip === undefined || zip === '') throw wrong('Please provide a source for function code.');
  return Buffer.from(zip, 'base64');
}
