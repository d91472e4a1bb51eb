import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type FakePlatform, fakeToken, startFakePlatform } from './fake-platform.ts';
import { type Ended, runSwiftlet } from './run-swiftlet.ts';

export interface CliUnderTest extends AsyncDisposable {
  readonly platform: FakePlatform;
  /** A folder for what commands make. */
  readonly folder: string;
  readonly environment: NodeJS.ProcessEnv;
  swiftlet(...args: string[]): Promise<Ended>;
}

/** The command beside a platform that only pretends, with folders of its own. */
export async function openCli(): Promise<CliUnderTest> {
  const [platform, folder] = await Promise.all([startFakePlatform(), mkdtemp(join(tmpdir(), 'swiftlet-test-'))]);
  const environment = {
    SWIFTLET_API_URL: platform.url,
    SWIFTLET_TOKEN: fakeToken,
    SWIFTLET_HOME: join(folder, 'home'),
    XDG_CACHE_HOME: join(folder, 'cache'),
  };
  return {
    platform,
    folder,
    environment,
    swiftlet: (...args) => runSwiftlet(args, environment, { cwd: folder }),
    async [Symbol.asyncDispose]() {
      await platform[Symbol.asyncDispose]();
      await rm(folder, { recursive: true });
    },
  };
}
