/** Which platform a command is about, and by what right. */
import { readFileSync } from 'node:fs';
import { SwiftletError } from '../model/errors.ts';
import { homeFolder, tokenFile } from '../role/home.ts';
import { ApiClient } from './api-client.ts';

/**
 * The platform that the environment names, or the one of this machine.
 * @param signal ends every call
 * @throws SwiftletError BadRequest for an address that is none; Unavailable or Unauthorized when there is no token to be read
 */
export function connectApi(environment: NodeJS.ProcessEnv, signal?: AbortSignal): ApiClient {
  const url = environment['SWIFTLET_API_URL'] ?? `http://127.0.0.1:${environment['SWIFTLET_API_PORT'] ?? '8081'}`;
  if (!/^https?:$/.test(URL.parse(url)?.protocol ?? '')) {
    throw new SwiftletError('BadRequest', `SWIFTLET_API_URL: "${url}" is no address; it is like http://127.0.0.1:8081`);
  }
  const token = environment['SWIFTLET_TOKEN'] ?? readToken(tokenFile(homeFolder(environment)));
  return new ApiClient(url.replace(/\/+$/, ''), token, signal, environment['SWIFTLET_TENANT']);
}

function readToken(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    const denied = error instanceof Error && 'code' in error && error.code === 'EACCES';
    throw new SwiftletError(
      denied ? 'Unauthorized' : 'Unavailable',
      denied
        ? `the token ${path} cannot be read by this user; set SWIFTLET_TOKEN`
        : `there is no token at ${path}; start Swiftlet with "swiftlet up", or set SWIFTLET_HOME or SWIFTLET_TOKEN`,
    );
  }
}
