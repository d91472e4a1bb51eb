/** Where a function's dependencies are installed. Pure. */
import { SwiftletError } from '../model/errors.ts';

export const buildPlaces = ['local', 'platform'] as const;
export type BuildPlace = (typeof buildPlaces)[number];

export interface BuildFacts {
  /** What `--build` says, if it does. */
  readonly wanted: BuildPlace | undefined;
  /** Whether there is anything to install. */
  readonly hasDependencies: boolean;
  /** Whether the manifest allows install scripts. */
  readonly scripts: boolean;
  /** Whether the platform can install. */
  readonly platform: { readonly available: boolean; readonly detail: string };
}

/** @throws SwiftletError ManifestInvalid, or IsolationUnavailable, when install scripts would run where nothing holds them */
export function buildPlace({ wanted, hasDependencies, scripts, platform }: BuildFacts): BuildPlace {
  if (!hasDependencies) return 'local';
  const place = wanted ?? (platform.available ? 'platform' : 'local');
  if (place === 'platform' || !scripts) return place;
  if (wanted === 'local')
    throw new SwiftletError(
      'ManifestInvalid',
      'build.scripts: install scripts are run in a sandbox of the platform and nowhere else; leave --build local away, or "scripts: allow"',
      { place: 'build.scripts' },
    );
  throw new SwiftletError(
    'IsolationUnavailable',
    `build.scripts: install scripts are run in a sandbox of the platform, which has none for it: ${platform.detail}; leave "scripts: allow" away`,
    { place: 'build.scripts' },
  );
}

/** @throws SwiftletError BadRequest */
export function buildPlaceOf(text: string | undefined): BuildPlace | undefined {
  const place = buildPlaces.find((one) => one === text);
  if (text !== undefined && place === undefined)
    throw new SwiftletError('BadRequest', `--build: "${text}" is no place to build; it is ${buildPlaces.join(' or ')}`);
  return place;
}
