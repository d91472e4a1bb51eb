/** Which files of tests run beside others, and which come first. Pure. */

/** Unit tests, and those of one role. */
const sharedFolders =
  /^test\/(?:bench|brokers|build|cli|control|docs|events|examples|gateway|lambda|model|relay|runtime|scaling|scripts|simulate|wire)\//;
/** Of these one that measures how fast bombs are refused. */
const measured = 'test/build/bundle-reading.test.ts';
/**
 * Of platforms those that compare the host before and after, fill it, or keep it so busy that a neighbour would tell nothing. The others wait for
 * what comes, and look at their own processes only.
 */
const alonePlatforms = [
  'crowds',
  'exhaustion',
  'hibernation',
  'kills-under-load',
  'memory-budget',
  'orphans',
  'shared-host',
  'stop',
  'stop-under-load',
];
const platformFolder = 'test/e2e/';
const ending = '.test.ts';

/** Those that neither measure the host nor disturb others. @param path below the repository */
export const mayShare = (path: string): boolean =>
  path.startsWith(platformFolder)
    ? !alonePlatforms.some((name) => path === `${platformFolder}${name}${ending}`)
    : sharedFolders.test(path) && path !== measured;

/** They come first, so that none is left alone at the end. */
const isLong = (path: string): boolean =>
  /ledger|\/sources\/(?:kafka|rabbitmq|nats)\.|\/(?:builds|lambda-settings|layers|package|runtime-clients|slow-clients|start)\./.test(path);

export const inOrder = (paths: readonly string[]): string[] => [...paths.filter(isLong), ...paths.filter((path) => !isLong(path))];

export const needsBrokers = (path: string): boolean => /\/(?:brokers|sources)\/|ledger|nats|sources/.test(path);

export const needsRuntimeClients = (path: string): boolean => /\/(?:runtime-clients|servers)\./.test(path);

/** Functions in Java, which are compiled once. */
export const needsJava = (path: string): boolean => /\/(?:java|languages)\./.test(path);
