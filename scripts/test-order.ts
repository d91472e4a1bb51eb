/** Which files of tests run beside others, and which come first. Pure. */

/** Unit tests, and those of one role: no limits of time that are measured. */
const sharedFolders = /^test\/(?:bench|brokers|build|cli|control|docs|events|lambda|model|relay|scaling|scripts|simulate|wire)\//;
/** Of these one that measures how fast bombs are refused. */
const measured = 'test/build/bundle-reading.test.ts';
/**
 * Of platforms those that wait for what comes, or for its end, and look at their own processes only. What measures a time that it promises, or
 * compares the host before and after, is not among them.
 */
const sharedPlatforms = [
  'async-ledger',
  'broker-ledgers',
  'builds',
  'calls',
  'client',
  'cloud-events',
  'destinations',
  'event-log-on-nats',
  'extensions',
  'full-disk',
  'hostile-text',
  'invocations',
  'isolation',
  'java',
  'languages',
  'lambda-functions',
  'lambda-settings',
  'lambda-tools',
  'lambda-versions',
  'lanes',
  'layers',
  'malformed-http',
  'mixed-answers',
  'ordinary-user',
  'package',
  'pools',
  'privileges',
  'process-mode',
  'request-bodies',
  'role-users',
  'runtime-clients',
  'secrets',
  'server-frameworks',
  'slow-clients',
  'source-ledger',
  'sources',
  'start',
  'strict-umask',
  'system-calls',
  'timers',
];
const platformFolder = 'test/e2e/';
const ending = '.test.ts';

/** What no other process's load can make slower than it promises. @param path below the repository */
export const mayShare = (path: string): boolean =>
  (sharedFolders.test(path) && path !== measured) || sharedPlatforms.some((name) => path === `${platformFolder}${name}${ending}`);

/** They come first, so that none is left alone at the end. */
const isLong = (path: string): boolean =>
  /ledger|\/sources\/(?:kafka|rabbitmq|nats)\.|\/(?:builds|package|runtime-clients|slow-clients|start)\./.test(path);

export const inOrder = (paths: readonly string[]): string[] => [...paths.filter(isLong), ...paths.filter((path) => !isLong(path))];

export const needsBrokers = (path: string): boolean => /\/(?:brokers|sources)\/|ledger|nats|sources/.test(path);

export const needsRuntimeClients = (path: string): boolean => /\/(?:runtime-clients|servers)\./.test(path);

/** Functions in Java, which are compiled once. */
export const needsJava = (path: string): boolean => /\/(?:java|languages)\./.test(path);
