/** What S3 answers, understood. Pure. */
import { ENTITY_ACTION, EntityDecoder, XML } from '@nodable/entities';
import { XMLParser } from 'fast-xml-parser';
import { z } from 'zod';
import { compareKeys, type ListedObject } from './object-changes.ts';

export interface ListPage {
  readonly objects: readonly ListedObject[];
  /** What asks for the next page; undefined: this was the last. */
  readonly next: string | undefined;
}

/** Those of XML and of numbers. What an answer declares itself it could grow by without end. */
const entityDecoder = new EntityDecoder({ namedEntities: XML, onInputEntity: () => ENTITY_ACTION.THROW });
/** Texts stay texts: a key may look like a number. */
const parser = new XMLParser({ parseTagValue: false, trimValues: false, isArray: (name) => name === 'Contents', entityDecoder });

const objectSchema = z.object({
  Key: z.string(),
  ETag: z.string().default(''),
  Size: z.coerce.number().default(0),
  LastModified: z.string().default(''),
});
const pageSchema = z.object({
  ListBucketResult: z.object({
    EncodingType: z.string().optional(),
    IsTruncated: z.string().optional(),
    NextContinuationToken: z.string().optional(),
    Contents: z.array(objectSchema).default([]),
  }),
});
const errorSchema = z.object({ Error: z.object({ Code: z.string() }) });

/** @throws Error that says what it is not */
export function listPageOf(text: string): ListPage {
  const parsed = pageSchema.safeParse(parse(text));
  if (!parsed.success) throw new Error('what answers there is no S3-compatible server');
  const { Contents, EncodingType, IsTruncated, NextContinuationToken } = parsed.data.ListBucketResult;
  // Taken for the whole, a page would say that all other objects were removed.
  if (IsTruncated === 'true' && (NextContinuationToken ?? '') === '')
    throw new Error('it lists a part and does not say how to go on, as servers do that know only the first version of lists');
  const isEncoded = EncodingType === 'url';
  return {
    objects: Contents.map((object) => listedObject(object, isEncoded)),
    next: IsTruncated === 'true' ? NextContinuationToken : undefined,
  };
}

/**
 * Lists have to be in the order of the keys' bytes, as what is known is: else half of what is there would seem to be removed.
 * @param before the last key of the page before
 * @throws Error with the first key that is out of order
 */
export function demandOrder(objects: readonly Pick<ListedObject, 'key'>[], before: string | undefined): void {
  let last = before;
  for (const { key } of objects) {
    if (last !== undefined && compareKeys(last, key) >= 0)
      throw new Error(`it lists ${JSON.stringify(key)} behind ${JSON.stringify(last)}, which is not the order of their bytes`);
    last = key;
  }
}

/** The code of an error; empty when it has none. */
export function errorCodeOf(text: string): string {
  const parsed = errorSchema.safeParse(parse(text));
  return parsed.success ? parsed.data.Error.Code : '';
}

function listedObject({ Key, ETag, Size, LastModified }: z.output<typeof objectSchema>, isEncoded: boolean): ListedObject {
  const tag = ETag.replace(/^"|"$/g, '');
  return {
    key: isEncoded ? decodeURIComponent(Key.replaceAll('+', ' ')) : Key,
    // Few servers have none.
    mark: tag === '' ? `${String(Size)}-${LastModified}` : tag,
    bytes: Size,
    modifiedMs: Date.parse(LastModified) || 0,
    isAtRest: true,
  };
}

function parse(text: string): unknown {
  try {
    return parser.parse(text);
  } catch {
    return undefined;
  }
}
