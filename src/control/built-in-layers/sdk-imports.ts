/** Whether code counts on an SDK of AWS that it has not brought. Pure, but for reading the bundle. */
import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { readBundle } from '../../build/bundle.ts';

/** Of a larger file the rest is not looked at: nobody writes such a one by hand. */
const maxFileBytes = 8 * 1024 * 1024;

interface ImportsOf {
  /** Whether a file may import something. */
  readonly reads: (path: string) => boolean;
  /** The packages that a text imports, as far as they may be of the SDK. */
  readonly named: (text: string) => readonly string[];
  /** The package that a path in the bundle is of. */
  readonly brought: (path: string) => string | undefined;
}

const rules: Readonly<Record<'nodejs' | 'python', ImportsOf>> = {
  nodejs: {
    // What others' packages may import as well they bring along.
    reads: (path) => /\.[cm]?[jt]s$/.test(path) && !path.includes('node_modules/'),
    named: (text) => [...text.matchAll(/(?:\bfrom|\bimport|\brequire)\s*\(?\s*["'`](@aws-sdk\/[\w.-]+)/g)].map(([, name = '']) => name),
    brought: (path) => path.match(/(?:^|\/)node_modules\/(@aws-sdk\/[\w.-]+)\/package\.json$/)?.[1],
  },
  python: {
    reads: (path) => path.endsWith('.py') && !/(?:^|\/)(?:boto3|botocore|s3transfer)\//.test(path),
    named: (text) =>
      [...text.matchAll(/^[ \t]*(?:import[ \t]+(?:[\w., \t]*[ ,\t])?|from[ \t]+)(boto3|botocore|s3transfer)\b/gm)].map(
        ([, name = '']) => name,
      ),
    brought: (path) => path.match(/^(?:site-packages\/|python\/)?(boto3|botocore|s3transfer)\/__init__\.py$/)?.[1],
  },
};

/**
 * @param bundle the code
 * @param provided what could be given
 * @returns whether it imports some of that, and lacks it
 * @throws SwiftletError BundleRejected when it is damaged
 */
export async function lacksSdk(bundle: Readable, language: 'nodejs' | 'python', provided: ReadonlySet<string>): Promise<boolean> {
  const { reads, named, brought } = rules[language];
  const wanted = new Set<string>();
  const there = new Set<string>();
  await readBundle(bundle, async ({ name, size }, content) => {
    const own = brought(name);
    if (own !== undefined) there.add(own);
    if (!reads(name) || size > maxFileBytes) return finished(Readable.from(content).resume());
    for (const one of named(Buffer.concat(await Array.fromAsync(content)).toString())) wanted.add(one);
  });
  return [...wanted].some((one) => provided.has(one) && !there.has(one));
}
