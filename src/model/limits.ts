/** Limits of the platform that no configuration raises, and the defaults of those that it can. */

const mebibyte = 1024 * 1024;

/** A request's body, and a response that is not streamed. */
export const maxBodyBytes = 6 * mebibyte;
/** Header lines of one request or response, names and values together. */
export const maxHeaderBytes = 64 * 1024;
export const maxHeaderCount = 500;
/** How long a client may send or take nothing while it is its turn. */
export const clientIdleMs = 10_000;
/** Requests of one tenant in flight or waiting at once, at one gateway, of a tenant without a quota for it. */
export const defaultTenantInFlight = 1_000;

export const memoryMiB = { min: 64, max: 10_240, default: 128 } as const;
export const timeoutMs = { min: 100, max: 86_400_000, default: 30_000 } as const;
export const initTimeoutMs = { min: 100, max: 300_000, default: 10_000 } as const;
export const concurrency = { min: 1, max: 1_000, default: 1 } as const;
export const instances = { min: 0, max: 1_000, default: 100 } as const;
export const idleMs = { min: 0, max: 86_400_000, default: 60_000 } as const;
export const hibernateMs = { min: 0, max: 86_400_000 } as const;
export const freezeMs = { min: 0, max: 86_400_000, default: 10_000 } as const;
/** A request whose instance is being started waits, too. */
export const queueLength = { min: 1, max: 100_000, default: 1_000 } as const;
export const queueTimeoutMs = { min: 100, max: 300_000, default: 30_000 } as const;
export const maxEnvironmentBytes = 32 * 1024;
/** A secret's value, the secrets of one function, and those of one tenant. What a function has of them must fit into one frame. */
export const secretBytes = { min: 8, max: 16 * 1024 } as const;
export const maxSecretReferences = 16;
export const maxSecrets = 1_000;

/** An asynchronous request's body. It is copied between processes and lies on the disk until its event has ended. */
export const maxEventBytes = 256 * 1024;
/** What all stored events together may take on the disk. */
export const defaultEventLogMiB = 10_240;
/** Asynchronous invocation: further attempts, the pause before the first of them, how long an event is tried, deliveries at once. */
export const asyncRetries = { min: 0, max: 100, default: 2 } as const;
export const asyncBackoffMs = { min: 10, max: 3_600_000, default: 60_000 } as const;
export const asyncMaximumAgeMs = { min: 1_000, max: 604_800_000, default: 21_600_000 } as const;
export const asyncInFlight = { min: 1, max: 1_000, default: 10 } as const;
/** How long an idempotency key stands for its event; no longer than an event's state can be asked for. */
export const idempotencyWindowMs = { min: 1_000, max: 86_400_000, default: 86_400_000 } as const;
/** Of an order key and an idempotency key, in characters. */
export const maxEventKeyLength = 255;

/** Of one tenant, and of the whole platform. */
export const maxTokens = 1_000;
/** Tokens of the whole platform that requests can be signed with. */
export const maxAccessKeys = 1_000;
/** What a function sends and gets when it calls another one: each is one frame. An event that nobody waits for has less, as any. */
export const maxCallBytes = mebibyte - 1024;
/** Calls that one invocation may have open; what the calls of a function, and of all, may hold in a gateway. */
export const maxCallsAtOnce = 16;
export const functionCallBytes = 16 * mebibyte;
export const gatewayCallBytes = 128 * mebibyte;
/** Functions that one may be granted to call. */
export const maxGrants = 64;

/** CloudEvents: events of a batch; what all that are under way may hold in a gateway, with their answers. */
export const maxBatchEvents = 1_000;
export const cloudEventBytes = 128 * mebibyte;
/** What requests to the Lambda API that are under way may hold in a gateway, with their answers. */
export const lambdaApiBytes = 128 * mebibyte;

/** Function-caused invocations in a row; one more is stopped. */
export const maxHops = 16;
export const maxWebhookUrlLength = 2_048;

/** Timers of one function; a cron expression; the pause of a rate; how far apart a timer's runs may be scattered. */
export const maxTimers = 64;
export const maxCronLength = 128;
export const timerRateMs = { min: 1_000, max: 366 * 86_400_000 } as const;
export const timerJitterMs = { min: 0, max: 3_600_000 } as const;
/** Runs made up for at most, when all that were missed are. */
export const maxMissedRuns = 1_000;

/** Sources of one function, servers of one source, the length of an address. */
export const maxSources = 16;
export const maxServers = 16;
export const maxAddressLength = 2_048;
/** A source's messages: how many go together, how long they wait for that, batches at once, attempts, the pause before the second. */
export const sourceBatchSize = { min: 1, max: 10_000, default: 10 } as const;
export const sourceBatchWindowMs = { min: 0, max: 300_000, default: 0 } as const;
export const sourceConcurrency = { min: 1, max: 100, default: 1 } as const;
export const sourceAttempts = { min: 1, max: 100, default: 3 } as const;
export const sourceBackoffMs = { min: 10, max: 3_600_000, default: 1_000 } as const;
export const maxFilters = 10;
export const filterPattern = { maxLength: 4_096, maxDepth: 16 } as const;

/** Rollouts: how many steps one may have beside the last, how long each may take, how long the version before may be kept. */
export const rolloutSteps = 20;
export const rolloutStepMs = { min: 100, max: 604_800_000 } as const;
export const rolloutKeepMs = { min: 0, max: 86_400_000, default: 600_000 } as const;

/** Scaling: see model/scale.ts for what each of them is. */
export const scaleConcurrency = { min: 0.01, max: 1_000 } as const;
export const scaleQps = { min: 0.01, max: 100_000 } as const;
export const scaleLag = { min: 1, max: 1_000_000 } as const;
export const scalePercent = { min: 1, max: 100 } as const;
export const scaleOutAtPercent = { min: 10, max: 100, default: 70 } as const;
export const scaleWindowMs = { min: 6_000, max: 600_000, default: 60_000 } as const;
export const scaleBurstWindowMs = { min: 1_000, max: 60_000, default: 6_000 } as const;
export const scaleFactor = { min: 1.1, max: 1_000, default: 2 } as const;
export const scaleDelayMs = { min: 0, max: 3_600_000, default: idleMs.default } as const;
export const scaleScheduleMs = { min: 1_000, max: 604_800_000 } as const;
export const maxScaleSchedules = 32;

/** Protection: see model/protection.ts for what each of them is. */
export const ratePerSecond = { min: 0.001, max: 1_000_000 } as const;
export const rateBurst = { min: 1, max: 1_000_000 } as const;
export const maxRates = 8;
/** With none the function takes no requests. */
export const reservedConcurrency = { min: 0, max: 10_000 } as const;
export const breakerErrorPercent = { min: 1, max: 100, default: 50 } as const;
export const breakerLeastRequests = { min: 1, max: 100_000, default: 20 } as const;
export const breakerWindowMs = { min: 1_000, max: 600_000, default: 10_000 } as const;
export const breakerOpenMs = { min: 100, max: 600_000, default: 5_000 } as const;
export const maxFallbackBody = 16 * 1024;
export const maxFallbackHeader = 1_024;
export const lastGoodAgeMs = { min: 1_000, max: 86_400_000, default: 3_600_000 } as const;

/** Routes of one function; a route's path: characters and parts; what a route may limit: see model/http-route.ts. */
export const maxRoutes = 200;
export const maxRoutePath = { length: 256, parts: 16 } as const;
export const routeBodyBytes = { min: 0, max: maxBodyBytes } as const;
export const routeHeaderBytes = { min: 256, max: maxHeaderBytes } as const;
export const routeTimeoutMs = { min: 10, max: timeoutMs.max } as const;
/** CORS: names of each kind; how long a browser need not ask again. */
export const maxCorsNames = 64;
export const corsMaxAgeMs = { min: 0, max: 86_400_000, default: 3_600_000 } as const;
/** Addresses that want a signed token, or a signature: audiences of one; how far a caller's clock may be off; sources of keys of all functions. */
export const maxAudiences = 10;
export const signatureSkewMs = { min: 1_000, max: 900_000, default: 300_000 } as const;
export const maxKeySources = 300;
/** What requests whose signature is being verified may hold in a gateway, of one tenant and of all. */
export const signedBytes = { each: 32 * mebibyte, all: 128 * mebibyte } as const;
/** What answers that go out whole may hold in a gateway, of one tenant and of all. */
export const collectedBytes = { each: 64 * mebibyte, all: 256 * mebibyte } as const;
/** Patterns of hosts that a tenant may be given. */
export const maxTenantHosts = 100;

/** Processes and threads in one sandbox. A bare Node.js has about a dozen. */
export const sandboxPids = 128;
export const sandboxOpenFiles = 1024;
export const scratchBytes = 512 * mebibyte;
export const scratchInodes = 65_536;

/** Layers of one function, and versions of layers of one tenant. */
export const maxLayers = 5;
export const maxLayerVersions = 1_000;
/** Custom pools of one tenant; modules that one preloads; its warm sandboxes, and how many they are when it does not say. */
export const maxCustomPools = 32;
export const maxPreloads = 32;
export const customPoolSize = { min: 1, max: 1_000, minimum: 1, maximum: 8 } as const;
/** How long a sandbox of one may take for its imports. */
export const preloadLimitMs = 60_000;

/** Lines of each of a function's lists of addresses and names, and how long one may be. */
export const maxNetworkTargets = 64;
export const maxNetworkTargetLength = 300;
/** Private networks of one tenant, and of all; ranges of one; how many one function may name. */
export const maxPrivateNetworks = { tenant: 16, platform: 64 } as const;
export const maxPrivateRanges = 32;
export const maxPrivateNames = 8;
/** What one sandbox may have open; may open in a second, and at once; may send and be sent in a second, and above a second's worth at once. */
export const sandboxConnections = 512;
/** How long the kernel's tables remember one that is closed; together with the rate it bounds what a sandbox takes of them. */
export const closedConnectionSeconds = 5;
/** What all sandboxes of one function may take of their host's table of connections. */
export const functionConnectionShare = 0.6;
export const sandboxNewConnections = { perSecond: 100, burst: 500 } as const;
export const sandboxBandwidth = { bytesPerSecond: 25 * mebibyte, burstBytes: mebibyte } as const;
/** Questions to the resolver that one sandbox may ask in a second, and at once. */
export const sandboxLookups = { perSecond: 100, burst: 300 } as const;

/** An uploaded bundle: packed, unpacked, and how many entries it may have. */
export const bundle = { packedBytes: 128 * mebibyte, unpackedBytes: 512 * mebibyte, entries: 50_000, ratio: 200 } as const;

/**
 * A build of dependencies: what its sandbox may take (its two folders for files, of `scratchBytes` each, lie in its memory), how long it may
 * run, what of its output is passed on, and what it is made from: package.json and the lockfile, together.
 */
export const buildMemoryMiB = 1_536;
export const buildTimeoutMs = { min: 1_000, max: 3_600_000, default: 300_000 } as const;
export const buildLogBytes = mebibyte;
/** Of one file that says what is installed, and of all of them with wheels that lie beside the code. */
export const buildInputBytes = 8 * mebibyte;
export const buildInputsBytes = 32 * mebibyte;
/** Builds at once, on the platform and of one tenant; those that wait, of one tenant. */
export const buildsAtOnce = { platform: 2, tenant: 1 } as const;
export const waitingBuilds = 16;
/** Installed dependencies of one tenant that are kept: so many, so many bytes together, oldest use first out, and for so long. */
export const keptDependencies = { count: 16, bytes: 1_024 * mebibyte, ms: 30 * 24 * 3_600_000 } as const;
/** A package of Lambda's API: zipped, unzipped; and a request that brings one, in Base64, with what else it says. */
export const lambdaPackage = {
  packedBytes: 50 * mebibyte,
  unpackedBytes: 250 * mebibyte,
  entries: bundle.entries,
  ratio: bundle.ratio,
} as const;
export const lambdaRequestBytes = 70_167_211;

/** Code that is made one file when it is published: what of it comes out of the sandbox, and how long that, and a run of the code in it, may take. */
export const bundledBytes = 48 * mebibyte;
export const publishLimitMs = 20_000;
export const publishRunLimitMs = 5_000;
/** Of an archive of a function's classes, and of the jar that it is made of; and of making both. */
export const archivedBytes = 96 * mebibyte;
export const publishJavaLimitMs = 60_000;
export const publishJavaRunLimitMs = 30_000;

/** Log lines: longer ones are cut with a mark; above the rate an instance's output is dropped with a mark. */
export const logLineBytes = 16 * 1024;
export const logBytesPerSecond = mebibyte;
export const logBurstBytes = 4 * mebibyte;
/** Logs of one function: files of this size, so many of them, oldest first out. */
export const logFileBytes = 10 * mebibyte;
export const logFiles = 5;
/** How long a line is kept, unless newer ones need its place before. */
export const keptLogMs = 30 * 24 * 3_600_000;
/** Reports that outlast the log, of cold starts and of the slowest requests: the last two thousand cold starts at least. */
export const keptReportSize = { fileBytes: 2 * mebibyte, files: 2 } as const;

/** Versions of one function that are kept; those that an alias or a rollout refers to always are. */
export const keptVersions = 10;

/** Records of who did what. */
export const keptAuditRecords = 200_000;
