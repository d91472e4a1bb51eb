/** Which bucket of an S3-compatible server is looked through. */
import { z } from 'zod';
import { addressSchema, variableSchema } from './connection.ts';
import { pollMsSchema } from './polling.ts';

export const s3SourceSchema = z.strictObject({
  kind: z.literal('s3'),
  address: addressSchema(
    /^https?:$/,
    'an S3-compatible server’s address is like https://s3.eu-central-1.amazonaws.com, or http://minio:9000',
  ).describe('The server; the bucket is not in it'),
  region: z.string().min(1).max(64).default('us-east-1').describe('The region that requests are signed for'),
  bucket: z
    .string()
    .regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'a bucket’s name has 3 to 63 small letters, digits, dots and -')
    .describe('The bucket'),
  prefix: z.string().max(1_024).default('').describe('Only objects whose keys begin so'),
  accessKey: z.string().min(1).max(255).describe('The id of the access key; it may list the bucket'),
  secretKeyVariable: variableSchema.describe('The variable in "secrets" or "environment" that has the secret access key'),
  pollMs: pollMsSchema.describe('How often it is listed, in ms'),
});
export type S3Source = z.output<typeof s3SourceSchema>;
