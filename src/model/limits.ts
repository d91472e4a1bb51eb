/** Limits of the platform that no configuration raises, and the defaults of those that it can. */

const mebibyte = 1024 * 1024;

/** A request's body, and a response that is not streamed. */
export const maxBodyBytes = 6 * mebibyte;
/** Header lines of one request or response, names and values together. */
export const maxHeaderBytes = 64 * 1024;
export const maxHeaderCount = 500;
/** How long a client may send or take nothing while it is its turn. */
export const clientIdleMs = 10_000;
/** Requests of one tenant in flight or waiting at once, at one gateway. */
export const defaultTenantInFlight = 5_000;

export const memoryMiB = { min: 64, max: 10_240, default: 128 } as const;
export const timeoutMs = { min: 100, max: 900_000, default: 30_000 } as const;
export const initTimeoutMs = { min: 100, max: 300_000, default: 10_000 } as const;
export const concurrency = { min: 1, max: 1_000, default: 1 } as const;
export const instances = { min: 0, max: 1_000, default: 100 } as const;
export const idleMs = { min: 0, max: 86_400_000, default: 60_000 } as const;
export const freezeMs = { min: 0, max: 86_400_000, default: 10_000 } as const;
/** A request whose instance is being started waits, too. */
export const queueLength = { min: 1, max: 100_000, default: 1_000 } as const;
export const queueTimeoutMs = { min: 100, max: 300_000, default: 30_000 } as const;
export const maxEnvironmentBytes = 32 * 1024;

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

/** Rollouts: how many steps one may have beside the last, how long each may take, how long the version before may be kept. */
export const rolloutSteps = 20;
export const rolloutStepMs = { min: 100, max: 604_800_000 } as const;
export const rolloutKeepMs = { min: 0, max: 86_400_000, default: 600_000 } as const;

/** Processes and threads in one sandbox. A bare Node.js has about a dozen. */
export const sandboxPids = 128;
export const sandboxOpenFiles = 1024;
export const scratchBytes = 512 * mebibyte;
export const scratchInodes = 65_536;

/** An uploaded bundle: packed, unpacked, and how many entries it may have. */
export const bundle = { packedBytes: 128 * mebibyte, unpackedBytes: 512 * mebibyte, entries: 50_000, ratio: 200 } as const;

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
