import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleLimits } from '../../src/build/bundle-limits.ts';
import { packBundle, type PackedBundle } from '../../src/build/bundle.ts';
import { type ArtifactFormat, artifactFormats } from '../../src/model/artifact-format.ts';
import type { Figure } from '../figure.ts';
import type { BenchPlatform } from '../platform.ts';
import { poolIsFull } from '../pool.ts';
import type { BenchContext, Scenario } from '../scenario.ts';
import { median } from '../statistics.ts';
import { timedRequest } from '../timed-request.ts';

const poolSize = 2;
const modules = join(import.meta.dirname, '..', '..', 'node_modules');
const kibibytesPerMiB = 1024;
const ballastBytes = 2 * 1024 * 1024;
/** What each has of packages that are installed here: one file, one package, and many. */
const packages: Readonly<Record<string, readonly string[]>> = {
  '10 KB': ['croner/package.json'],
  '5 MB': ['zod'],
  '60 MB': ['typescript', '@types', 'fastify', 'eslint', '@typescript-eslint', 'croner', 'pino', 'ajv', 'esbuild', '@opentelemetry'],
};
/** On a busy machine the largest takes longer to be unpacked than a function may wait by default. */
const patienceMs = 300_000;
const config = {
  handler: 'index.handler',
  process: 'one-shot',
  bundle: 'never',
  initTimeoutMs: patienceMs,
  queueTimeoutMs: patienceMs,
} as const;

interface Taken {
  readonly publishedMs: number;
  readonly unknownMs: number;
  readonly diskMiB: number;
}

/**
 * Functions of three sizes in each format: their first answer where they were published, and where their code is in the store alone, as on a host that
 * has never had it; and what they take of a host's disk.
 */
export const formats: Scenario = {
  name: 'formats',
  title: 'code by its format',
  byDefault: true,
  async run(context) {
    const { quick, progress } = context;
    const times = quick ? 2 : 10;
    // One that keeps what is published, and one that has no room for it ahead.
    await using keeps = await context.startPlatform({ poolSize });
    await using forgets = await context.startPlatform({ poolSize, environment: { SWIFTLET_CODE_CACHE_MIB: '1' } });
    const figures: Figure[] = [];
    for (const [size, names] of Object.entries(packages)) {
      await using folder = await folderWith(names);
      let [published, unknown] = [NaN, NaN];
      for (const format of artifactFormats) {
        progress(`${size} as ${format}`);
        const taken: Taken[] = [];
        for (let i = 0; i < times; i++) taken.push(await take(context, { keeps, forgets, folder: folder.path, format }));
        const of = (what: keyof Taken) => median(taken.map((one) => one[what]));
        if (format === 'zstd') [published, unknown] = [of('publishedMs'), of('unknownMs')];
        const from = (value: number) => ({ baseline: { name: 'zstd', value } });
        figures.push(
          { what: `${size}, ${format}: published`, value: of('publishedMs'), unit: 'ms', samples: times, ...from(published) },
          { what: `${size}, ${format}: not on the host`, value: of('unknownMs'), unit: 'ms', samples: times, ...from(unknown) },
          { what: `${size}, ${format}: on the disk`, value: of('diskMiB'), unit: 'MiB', samples: times },
        );
      }
    }
    return { figures, isolation: keeps.isolation, poolSize, notes: [] };
  },
};

interface Places {
  readonly keeps: BenchPlatform;
  readonly forgets: BenchPlatform;
  readonly folder: string;
  readonly format: ArtifactFormat;
}

async function take({ signal }: BenchContext, { keeps, forgets, folder, format }: Places): Promise<Taken> {
  // Other bytes each time: an artifact that no host has had.
  const bundle = await packed(folder, format);
  const first = async (platform: BenchPlatform) => {
    await platform.api.deploy('coded', bundle, { ...config, format });
    await poolIsFull(platform, signal);
    const { status, headers, body, tookMs } = await timedRequest(`${platform.gatewayUrl}/coded`);
    if (status !== 200 || headers['x-swiftlet-start'] !== 'cold') throw new Error(`${format} answered ${status}: ${body}`);
    return tookMs;
  };
  const publishedMs = await first(keeps);
  const diskMiB = diskOf(join(keeps.home, 'agent', 'code', 'default'), bundle.digest);
  await forgets.api.deploy('ballast', await ballast(), config);
  return { publishedMs, unknownMs: await first(forgets), diskMiB };
}

async function packed(folder: string, format: ArtifactFormat): Promise<PackedBundle> {
  await writeFile(join(folder, 'number.txt'), randomBytes(16));
  return packBundle(folder, () => false, bundleLimits, format === 'lz4' ? 'lz4' : 'zstd');
}

/** Fills what there is room for. */
async function ballast(): Promise<PackedBundle> {
  await using folder = await folderWith([]);
  await writeFile(join(folder.path, 'ballast.bin'), randomBytes(ballastBytes));
  return await packBundle(folder.path);
}

/** Of an entry with all that lies beside it; what is in an image counts as the image alone. */
function diskOf(code: string, digest: string): number {
  // The folder of an image is in another file system.
  const here = readdirSync(code).filter((name) => name.startsWith(digest) && !(name === digest && existsSync(join(code, `${digest}.img`))));
  const said = execFileSync('du', ['-skx', ...here.map((name) => join(code, name))], { encoding: 'utf8' });
  return said.split('\n').reduce((sum, line) => sum + Number(line.split('\t')[0]), 0) / kibibytesPerMiB;
}

async function folderWith(names: readonly string[]): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'swiftlet-bench-formats-'));
  await writeFile(join(path, 'index.mjs'), 'export const handler = () => "answered";');
  for (const name of names) await cp(join(modules, name), join(path, 'vendor', name), { recursive: true, dereference: true });
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}
