/** Tags of Lambda's API: words that users put on a function, or on an event source mapping, for themselves. */
import { z } from 'zod';
import { findMapping, mappingOfArn } from './event-source-mappings.ts';
import { fieldsOf } from './function-fields.ts';
import { tagsSchema } from './tags-schema.ts';
import { type Asked, type Asking, changeRecord, type LambdaOperation, type OperationMeans, textIn } from './operation.ts';
import { presentFunction } from './present-function.ts';

/** What is tagged is named by its ARN. */
const tagsPath = '/2017-03-31/tags/:FunctionName';

type Tags = Readonly<Record<string, string>>;
const tagSchema = z.strictObject({ Tags: z.record(z.string(), z.string()) });
const untagSchema = z.looseObject({ tagKeys: z.union([z.string(), z.array(z.string())]) });

export const tagOperations: readonly LambdaOperation[] = [
  { method: 'GET', url: tagsPath, right: 'read', status: 200, run: listTags },
  { method: 'POST', url: tagsPath, right: 'change', status: 204, run: tag },
  { method: 'DELETE', url: tagsPath, right: 'change', status: 204, run: untag },
];

async function listTags(means: OperationMeans, asking: Asking, asked: Asked): Promise<object> {
  const mapping = mappingIn(asked);
  if (mapping !== undefined) return { Tags: (await findMapping(means, asking, mapping, 'read')).mapping.tags };
  return { Tags: (await presentFunction(means, asking, asked.name)).record.tags };
}

async function tag(means: OperationMeans, asking: Asking, asked: Asked): Promise<undefined> {
  const { Tags } = fieldsOf(tagSchema, asked.body);
  await changeTags(means, asking, asked, (tags) => fieldsOf(tagsSchema, { ...tags, ...Tags }));
  return undefined;
}

async function untag(means: OperationMeans, asking: Asking, asked: Asked): Promise<undefined> {
  const keys = [fieldsOf(untagSchema, asked.query).tagKeys].flat();
  await changeTags(means, asking, asked, (tags) => Object.fromEntries(Object.entries(tags).filter(([key]) => !keys.includes(key))));
  return undefined;
}

/** Of a function, or of one of its mappings. */
async function changeTags(means: OperationMeans, asking: Asking, asked: Asked, change: (tags: Tags) => Tags): Promise<void> {
  const uuid = mappingIn(asked);
  if (uuid === undefined) return changeRecord(means, asking, asked.name, (record) => ({ ...record, tags: change(record.tags) }));
  const { function: name } = await findMapping(means, asking, uuid, 'change');
  await changeRecord(means, asking, name, (record) => {
    const mapping = record.mappings[uuid];
    if (mapping === undefined) return record;
    return { ...record, mappings: { ...record.mappings, [uuid]: { ...mapping, tags: change(mapping.tags) } } };
  });
}

const mappingIn = ({ params }: Asked): string | undefined => mappingOfArn(textIn(params, 'FunctionName') ?? '');
