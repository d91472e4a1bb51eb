/** How Lambda's API names a function: by its name, or by all or a part of its ARN, with a qualifier behind it or beside it. Pure. */
import { LambdaError } from './lambda-error.ts';

/** What a qualifier says. */
export type Qualifier =
  /** None, or `$LATEST`: the function as it is served. */
  { readonly kind: 'latest' } | { readonly kind: 'version'; readonly number: number } | { readonly kind: 'alias'; readonly name: string };

export interface FunctionReference {
  readonly name: string;
  readonly qualifier: Qualifier;
  /** As an ARN names it. */
  readonly account: string | undefined;
}

/** Whatever region an ARN names. */
const namePattern =
  /^(?:arn:aws[a-zA-Z-]*:lambda:)?(?:[a-z]{2}(?:-[a-z]+)+-\d:)?(?:(\d{12}):)?(?:function:)?([\w.-]{1,140})(?::(\$LATEST|[\w-]{1,128}))?$/;
const qualifierPattern = /^(?:\$LATEST|[\w-]{1,128})$/;
const versionPattern = /^[1-9]\d{0,14}$/;

export const latest: Qualifier = { kind: 'latest' };

/**
 * @param named the part of the path, decoded
 * @param beside the query's `Qualifier`
 * @throws LambdaError ValidationException, InvalidParameterValueException
 */
export function functionReference(named: string, beside: string | undefined): FunctionReference {
  const [, account, name, behind] = namePattern.exec(named) ?? [];
  if (name === undefined) throw invalid('functionName', named, namePattern);
  if (beside !== undefined && !qualifierPattern.test(beside)) throw invalid('qualifier', beside, qualifierPattern);
  if (behind !== undefined && beside !== undefined && behind !== beside) {
    throw new LambdaError(
      'InvalidParameterValueException',
      'The derived qualifier from the function name does not match the specified qualifier.',
    );
  }
  return { name, qualifier: qualifierOf(beside ?? behind), account };
}

/** As it is written; undefined for what serves. */
export function qualifierText(qualifier: Qualifier): string | undefined {
  switch (qualifier.kind) {
    case 'latest':
      return undefined;
    case 'version':
      return String(qualifier.number);
    case 'alias':
      return qualifier.name;
  }
}

function qualifierOf(text: string | undefined): Qualifier {
  if (text === undefined || text === '$LATEST') return latest;
  return versionPattern.test(text) ? { kind: 'version', number: Number(text) } : { kind: 'alias', name: text };
}

/** As Lambda's validation says it. */
export const invalid = (place: string, value: string, rule: RegExp): LambdaError =>
  new LambdaError(
    'ValidationException',
    `1 validation error detected: Value '${value.slice(0, 256)}' at '${place}' failed to satisfy constraint: Member must satisfy regular expression pattern: ${rule.source}`,
  );
