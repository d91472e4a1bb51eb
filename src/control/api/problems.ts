/** The one place where what was thrown becomes problem details. */
import { closest } from 'fastest-levenshtein';
import type { FastifyError } from 'fastify';
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import { SwiftletError } from '../../model/errors.ts';
import { runtimeNames } from '../../model/runtimes.ts';
import { bundleMediaType } from '../../build/bundle.ts';

/** One thing that is wrong with a request, as zod found it and fastify passed it on. */
interface Mistake {
  /** Like `/config/memoryMiB`. */
  readonly instancePath: string;
  readonly message?: string | undefined;
}

/** @returns undefined when nobody foresaw it */
export function foreseen(error: unknown, body: unknown): SwiftletError | undefined {
  if (error instanceof SwiftletError) return error;
  if (hasZodFastifySchemaValidationErrors(error)) return invalid(error.validation, error.validationContext, body);
  if (!(error instanceof Error) || !('statusCode' in error)) return undefined;
  const { code, statusCode = 500, message } = error as FastifyError;
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return new SwiftletError('RequestTooLarge', `${message}; send less`);
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') {
    return new SwiftletError(
      'BadRequest',
      `the body's content-type is not understood here; send application/json, or ${bundleMediaType} to an artifact`,
    );
  }
  if (statusCode >= 400 && statusCode < 500) return new SwiftletError('BadRequest', message, { cause: error });
  return undefined;
}

function invalid(mistakes: readonly Mistake[], context: string | undefined, body: unknown): SwiftletError {
  const [first] = mistakes;
  const place = first?.instancePath.slice(1).replaceAll('/', '.') ?? '';
  const detail = mistakes
    .map(({ instancePath, message }) => `${instancePath.slice(1).replaceAll('/', '.') || 'the body'}: ${message ?? 'is not valid'}`)
    .join('; ');
  const where = place === '' ? {} : { place };
  if (context === 'params' && ['name', 'alias', 'secret', 'network', 'layer', 'pool'].includes(place))
    return new SwiftletError('NameInvalid', detail, where);
  if (context === 'body' && place === 'config.runtime') return unknownRuntime(body);
  if (context === 'body' && (place.startsWith('config') || place.startsWith('rollout')))
    return new SwiftletError('ManifestInvalid', detail, where);
  return new SwiftletError('BadRequest', detail, where);
}

function unknownRuntime(body: unknown): SwiftletError {
  const config = typeof body === 'object' && body !== null && 'config' in body ? body.config : undefined;
  const asked = typeof config === 'object' && config !== null && 'runtime' in config ? config.runtime : undefined;
  const place = { place: 'config.runtime' };
  if (typeof asked !== 'string') return new SwiftletError('RuntimeUnknown', `a runtime is one of ${runtimeNames.join(', ')}`, place);
  const suggestion = closest(asked.slice(0, 64), runtimeNames);
  return new SwiftletError(
    'RuntimeUnknown',
    `unknown runtime ${JSON.stringify(asked.slice(0, 64))}; did you mean "${suggestion}"? There are ${runtimeNames.join(', ')}`,
    place,
  );
}
