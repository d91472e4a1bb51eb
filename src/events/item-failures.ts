/** A partial batch response, with which a function names the messages of its batch that failed: Lambda's `batchItemFailures`. */
import type { EventError, EventResult } from '../wire/event-calls.ts';

/** Names a message as a function may: by its id, or in its kind's own way; undefined when it is no name. */
export type IdOfItem = (item: unknown) => string | undefined;

export const textAsId: IdOfItem = (item) => (typeof item === 'string' && item !== '' ? item : undefined);

export type ItemFailures =
  | { readonly kind: 'none' }
  | { readonly kind: 'some'; readonly ids: ReadonlySet<string> }
  /** It says that some failed and not which: as with Lambda, all have. */
  | { readonly kind: 'unclear'; readonly error: EventError };

export function itemFailuresOf({ body, isTruncated }: Pick<EventResult, 'body' | 'isTruncated'>, idOfItem: IdOfItem): ItemFailures {
  if (isTruncated)
    return unclear('the answer is so large that it was not kept whole, and whether it names messages as failed is not known');
  const items = itemsOf(body);
  if (items === undefined || items === null) return { kind: 'none' };
  if (!Array.isArray(items)) return malformed;
  const ids = (items as readonly unknown[]).map((item) =>
    typeof item === 'object' && item !== null && 'itemIdentifier' in item ? idOfItem(item.itemIdentifier) : undefined,
  );
  if (ids.length === 0) return { kind: 'none' };
  const known = ids.filter((id) => id !== undefined);
  return known.length < ids.length ? malformed : { kind: 'some', ids: new Set(known) };
}

const unclear = (message: string): ItemFailures => ({ kind: 'unclear', error: { code: 'InvalidResponse', message } });
const malformed = unclear(
  '"batchItemFailures" is no list of { "itemIdentifier": … } with the ids of messages; the whole batch counts as failed',
);

function itemsOf(body: string): unknown {
  try {
    const answer: unknown = JSON.parse(body);
    return typeof answer === 'object' && answer !== null && 'batchItemFailures' in answer ? answer.batchItemFailures : undefined;
  } catch {
    return undefined;
  }
}
