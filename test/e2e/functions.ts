/** Functions for end-to-end tests: written from a string, packed, and published through the API. */
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type BenchPlatform, type PlatformOptions, startPlatform } from '../../bench/platform.ts';
import type { ConfigInput } from '../../bench/control-api.ts';
import { packBundle } from '../../src/build/bundle.ts';

export type { BenchPlatform };

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body's JSON; an empty object when it is none. */
  readonly json: Record<string, unknown>;
}

export interface E2e extends AsyncDisposable {
  readonly platform: BenchPlatform;
  /** @param files a module's source as index.mjs, or files by path; scripts and programs may be executed */
  publish(name: string, files: string | Record<string, string | Buffer>, config?: ConfigInput): Promise<void>;
  call(path: string, init?: RequestInit): Promise<Answer>;
  /** The records of a function's log. */
  log(name: string): Promise<Record<string, unknown>[]>;
}

export async function openE2e(options: Partial<PlatformOptions> = {}): Promise<E2e> {
  const platform = await startPlatform({ poolSize: 4, ...options });
  return {
    platform,
    async publish(name, files, config = {}) {
      const folder = await mkdtemp(join(tmpdir(), 'swiftlet-e2e-'));
      try {
        for (const [path, content] of Object.entries(typeof files === 'string' ? { 'index.mjs': files } : files)) {
          await mkdir(dirname(join(folder, path)), { recursive: true });
          await writeFile(join(folder, path), content, { mode: isProgram(content) ? 0o755 : 0o644 });
        }
        await platform.api.deploy(name, await packBundle(folder), config);
      } finally {
        await rm(folder, { recursive: true });
      }
    },
    async call(path, init) {
      const response = await fetch(`${platform.gatewayUrl}${path}`, init);
      const text = await response.text();
      return { status: response.status, headers: response.headers, text, json: parse(text) };
    },
    async log(name) {
      const response = await fetch(`${platform.apiUrl}/v1/functions/${name}/logs?last=1000`, {
        headers: { authorization: `Bearer ${platform.token}` },
      });
      return (await response.text()).split('\n').filter(Boolean).map(parse);
    },
    [Symbol.asyncDispose]: () => platform[Symbol.asyncDispose](),
  };
}

const isProgram = (content: string | Buffer): boolean => Buffer.isBuffer(content) || content.startsWith('#!');

function parse(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** Resolves when the check holds. The limit is for what never comes: how soon it comes is the benchmark’s to say. @throws Error with the last thing seen when it does not in time */
export async function eventually<T>(look: () => T | Promise<T>, holds: (seen: T) => boolean, limitMs = 30_000): Promise<T> {
  const until = performance.now() + limitMs;
  for (;;) {
    const seen = await look();
    if (holds(seen)) return seen;
    if (performance.now() > until)
      throw new Error(`did not come true within ${limitMs} ms; last seen: ${JSON.stringify(seen).slice(0, 500)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
