import { writeFileSync } from 'node:fs';
import { SwiftletError } from '../../model/errors.ts';
import { hostCertificateSchema } from '../../wire/host-answers.ts';
import { connectApi } from '../connect-api.ts';
import { openOutput } from '../output.ts';

/** Prints the certificate, and nothing else, on standard output; or writes it into a file that was not there. */
export async function admit(name: string, { out, json = false }: { readonly out?: string; readonly json?: boolean }): Promise<void> {
  const output = openOutput(json);
  const path = `/v1/hosts/${encodeURIComponent(name)}/certificate`;
  const made = await output.progress('making', connectApi(process.env).json(hostCertificateSchema, 'POST', path));
  if (out !== undefined) writeNew(out, made.pem);
  const { pem, ...rest } = made;
  output.result(out === undefined ? made : rest, () => (out === undefined ? pem.trimEnd() : `The certificate for ${name} is in ${out}.`));
  output.note(
    `Whoever has it can be one of the platform's hosts until ${made.endsAt}. Bring it to the host and set SWIFTLET_JOIN to its path.`,
  );
}

/** @throws SwiftletError when the file is there already, or cannot be made */
function writeNew(path: string, text: string): void {
  try {
    writeFileSync(path, text, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    const isThere = error instanceof Error && 'code' in error && error.code === 'EEXIST';
    const reason = isThere ? 'it is there already' : error instanceof Error ? error.message : String(error);
    throw new SwiftletError(isThere ? 'Conflict' : 'BadRequest', `--out: ${path} cannot be written: ${reason}; name another file`);
  }
}
