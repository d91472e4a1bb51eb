/** Versions of Lambda's API. Every deploy is a version here, so that to publish one is to name the one that serves. */
import { z } from 'zod';
import { wrong } from '../../lambda/lambda-error.ts';
import { fieldsOf } from './function-fields.ts';
import { demandRevision } from './functions.ts';
import { type Asked, type Asking, functionPath, type LambdaOperation, type OperationMeans } from './operation.ts';
import { cut, pageOf } from './page.ts';
import { type LambdaRecord, packageOf, withVersion } from './lambda-record.ts';
import { describe, presentFunction } from './present-function.ts';

const publishSchema = z.strictObject({
  CodeSha256: z.string().optional(),
  Description: z.string().max(256).optional(),
  RevisionId: z.string().optional(),
});

export const versionOperations: readonly LambdaOperation[] = [
  { method: 'POST', url: `${functionPath}/versions`, right: 'change', status: 201, showsValues: true, run: publishVersion },
  { method: 'GET', url: `${functionPath}/versions`, right: 'read', status: 200, run: listVersions },
];

async function publishVersion(means: OperationMeans, asking: Asking, { name, body }: Asked): Promise<object> {
  const { CodeSha256: sha256, Description: description, RevisionId: revision } = fieldsOf(publishSchema, body ?? {});
  const present = await presentFunction(means, asking, name);
  demandRevision(revision, present.of, present.record);
  const now = packageOf(present.record, present.of.serving).sha256;
  if (sha256 !== undefined && sha256 !== now)
    throw wrong(
      `CodeSHA256 (${sha256}) is different from current CodeSHA256 in $LATEST (${now}). Please try again with the CodeSHA256 in $LATEST.`,
    );
  const { serving } = present.of;
  const published = (record: LambdaRecord) => withVersion(record, serving.number, description || record.description);
  await means.store.lambda.change(asking.tenant, name, published);
  return describe({ ...present, record: published(present.record) }, asking, serving);
}

/** What serves first, as `$LATEST`, then those that are kept, oldest first. */
async function listVersions(means: OperationMeans, asking: Asking, { name, query }: Asked): Promise<object> {
  const present = await presentFunction(means, asking, name);
  const versions = (await means.store.versions(asking.tenant, name)).toSorted((one, other) => one.number - other.number);
  const { page, next } = cut([undefined, ...versions], pageOf(query), (version) =>
    version === undefined ? '$LATEST' : String(version.number),
  );
  return { Versions: page.map((version) => describe(present, asking, version)), ...(next === undefined ? {} : { NextMarker: next }) };
}
