/** A platform for end-to-end tests: started as a user would, in a home of its own. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startPlatform as startBenchPlatform } from '../bench/platform.ts';

export interface Platform {
  readonly gatewayUrl: string;
  readonly apiUrl: string;
  readonly token: string;
  readonly home: string;
  /** Deploys a folder by the command line; its path is relative to the repository. */
  deploy(folder: string): Promise<void>;
  stop(): Promise<void>;
}

const cli = fileURLToPath(new URL('../src/cli/main.ts', import.meta.url));
const repository = fileURLToPath(new URL('..', import.meta.url));
const poolSize = 2;

export async function startPlatform(): Promise<Platform> {
  const platform = await startBenchPlatform({ poolSize });
  const { gatewayUrl, apiUrl, token, home } = platform;
  const env = { ...process.env, SWIFTLET_HOME: home, SWIFTLET_API_URL: apiUrl };
  return {
    gatewayUrl,
    apiUrl,
    token,
    home,
    async deploy(folder) {
      await promisify(execFile)(process.execPath, [cli, 'deploy', '--build', 'local', folder], { cwd: repository, env });
    },
    async stop() {
      await platform[Symbol.asyncDispose]();
    },
  };
}
