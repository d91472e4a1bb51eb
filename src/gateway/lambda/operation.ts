/** Which operation of Lambda's API a request is, by its method and path. Pure. */
import { LambdaError } from '../../lambda/lambda-error.ts';

export interface InvokeOperation {
  readonly kind: 'invoke';
  /** As the path names the function, decoded. */
  readonly function: string;
  /** The query's `Qualifier`. */
  readonly qualifier: string | undefined;
  /** Whether the answer is wanted as it comes: InvokeWithResponseStream. */
  readonly isStreamed: boolean;
}

export type Operation =
  | InvokeOperation
  /** Anything else is control's to carry out, or to refuse. */
  | { readonly kind: 'of control' };

const invokePath = /^\/2015-03-31\/functions\/([^/]+)\/invocations$/;
const streamPath = /^\/2021-11-15\/functions\/([^/]+)\/response-streaming-invocations$/;

/**
 * @param target of the request line
 * @throws LambdaError ValidationException
 */
export function operationOf(method: string, target: string): Operation {
  const [path = '', query = ''] = target.split('?', 2);
  const streamed = streamPath.exec(path)?.[1];
  const named = streamed ?? invokePath.exec(path)?.[1];
  if (named === undefined || method !== 'POST') return { kind: 'of control' };
  const qualifier = new URLSearchParams(query).get('Qualifier') ?? undefined;
  return { kind: 'invoke', function: decoded(named), qualifier, isStreamed: streamed !== undefined };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch (error) {
    throw new LambdaError('ValidationException', 'The path has a percent sign that encodes nothing.', { cause: error });
  }
}
