/** Packages of npm, made for a test, and what says that a project has them. */
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { rawEntry, tar } from './hostile-tar.ts';

export interface TestPackage {
  readonly name: string;
  /** Files beside its package.json, by path. */
  readonly files?: Readonly<Record<string, string>>;
  /** Run when it is installed; npm itself compiles those that have a binding.gyp. */
  readonly install?: string;
  readonly main?: string;
}

const version = '1.0.0';
const manifestOf = ({ name, install, main = 'index.js' }: TestPackage): string =>
  JSON.stringify({ name, version, main, ...(install === undefined ? {} : { scripts: { install } }) });

/** The archive that a registry has of it. */
export const archiveOf = (one: TestPackage): Buffer =>
  gzipSync(
    tar(
      ...Object.entries({ 'package.json': manifestOf(one), 'index.js': '', ...one.files }).map(([name, content]) =>
        rawEntry({ name: `package/${name}`, content }),
      ),
    ),
  );

const hasInstallScript = ({ install, files = {} }: TestPackage): boolean => install !== undefined || 'binding.gyp' in files;

export const pathOf = ({ name }: TestPackage): string => `/${name}/-/${name}-${version}.tgz`;

/** What a registry answers, in base64, by path. @param under the registry's own path, without a slash at its end */
export const pagesOf = (packages: readonly TestPackage[], under = ''): Record<string, string> =>
  Object.fromEntries(packages.map((one) => [`${under}${pathOf(one)}`, archiveOf(one).toString('base64')]));

/** A project's package.json and lockfile. @param registry without a slash at its end */
export function projectOf(packages: readonly TestPackage[], registry: string): Record<'package.json' | 'package-lock.json', string> {
  const dependencies = Object.fromEntries(packages.map(({ name }) => [name, version]));
  const entries = Object.fromEntries(
    packages.map((one) => [
      `node_modules/${one.name}`,
      {
        version,
        resolved: `${registry}${pathOf(one)}`,
        integrity: `sha512-${createHash('sha512').update(archiveOf(one)).digest('base64')}`,
        ...(hasInstallScript(one) ? { hasInstallScript: true } : {}),
      },
    ]),
  );
  const root = { name: 'project', version, dependencies };
  return {
    'package.json': JSON.stringify(root),
    'package-lock.json': JSON.stringify({
      name: 'project',
      version,
      lockfileVersion: 3,
      requires: true,
      packages: { '': root, ...entries },
    }),
  };
}
