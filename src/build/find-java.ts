import { existsSync } from 'node:fs';

/** Names another one than the host's. */
export const javaVariable = 'SWIFTLET_JAVA';

const usualPlaces = ['/usr/local/bin/java', '/usr/bin/java'];

/** The Java that functions run on. @returns undefined when the host has none where it usually is */
export const findJava = (environment: NodeJS.ProcessEnv): string | undefined =>
  environment[javaVariable] ?? usualPlaces.find((path) => existsSync(path));
