/** Tags of Lambda's API: words that users put on a function for themselves. */
import { z } from 'zod';
import { fieldsOf, tagsSchema } from './function-fields.ts';
import { type Asked, type Asking, changeRecord, type LambdaOperation, type OperationMeans } from './operation.ts';
import { presentFunction } from './present-function.ts';

/** What is tagged is named by its ARN. */
const tagsPath = '/2017-03-31/tags/:FunctionName';

const tagSchema = z.strictObject({ Tags: z.record(z.string(), z.string()) });
const untagSchema = z.looseObject({ tagKeys: z.union([z.string(), z.array(z.string())]) });

export const tagOperations: readonly LambdaOperation[] = [
  { method: 'GET', url: tagsPath, right: 'read', status: 200, run: listTags },
  { method: 'POST', url: tagsPath, right: 'change', status: 204, run: tag },
  { method: 'DELETE', url: tagsPath, right: 'change', status: 204, run: untag },
];

async function listTags(means: OperationMeans, asking: Asking, { name }: Asked): Promise<object> {
  return { Tags: (await presentFunction(means, asking, name)).record.tags };
}

async function tag(means: OperationMeans, asking: Asking, { name, body }: Asked): Promise<undefined> {
  const { Tags } = fieldsOf(tagSchema, body);
  await changeRecord(means, asking, name, (record) => ({ ...record, tags: fieldsOf(tagsSchema, { ...record.tags, ...Tags }) }));
  return undefined;
}

async function untag(means: OperationMeans, asking: Asking, { name, query }: Asked): Promise<undefined> {
  const keys = [fieldsOf(untagSchema, query).tagKeys].flat();
  await changeRecord(means, asking, name, (record) => ({
    ...record,
    tags: Object.fromEntries(Object.entries(record.tags).filter(([key]) => !keys.includes(key))),
  }));
  return undefined;
}
