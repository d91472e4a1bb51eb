import { accessSync, constants } from 'node:fs';

/** Names another interpreter than the host's. */
export const pythonVariable = 'SWIFTLET_PYTHON';

const usualPlaces = ['/usr/local/bin/python3', '/usr/bin/python3'];

/**
 * The Python that functions run on, and that installs their packages: both have to be of one release line.
 * @returns undefined when the host has none where it usually is
 */
export const findPython = (environment: NodeJS.ProcessEnv): string | undefined =>
  environment[pythonVariable] ?? usualPlaces.find(isExecutable);

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
