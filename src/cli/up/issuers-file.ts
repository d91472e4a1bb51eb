/** The file that says whose tokens are taken besides our own. */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { SwiftletError } from '../../model/errors.ts';
import { type Issuer, issuersSchema } from '../../model/issuer.ts';

/** @param path of YAML or JSON: a list of issuers @throws SwiftletError BadRequest that names the place */
export function readIssuers(path: string): readonly Issuer[] {
  const parsed = issuersSchema.safeParse(contentOf(path));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const place = issue === undefined || issue.path.length === 0 ? path : `${path}: ${issue.path.join('.')}`;
  throw new SwiftletError('BadRequest', `SWIFTLET_ISSUERS: ${place}: ${issue?.message ?? 'is not valid'}`, { place });
}

function contentOf(path: string): unknown {
  try {
    return parse(readFileSync(path, 'utf8'));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new SwiftletError('BadRequest', `SWIFTLET_ISSUERS: ${path} cannot be read: ${reason}`, { cause: error });
  }
}
