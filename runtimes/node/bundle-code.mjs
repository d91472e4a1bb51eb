// One file of a function's many: made inside of a build's sandbox when it is published, and looked at before it is used.
import { around } from './bundled-code.mjs';
import { frameworkName } from './provide-framework.mjs';

const { readFile } = process.getBuiltinModule('node:fs').promises;
const { dirname } = process.getBuiltinModule('node:path');
const { pathToFileURL } = process.getBuiltinModule('node:url');

/** Why a function's code stays as it is. */
export class NotBundled extends Error {}

/** What depends on where a module lies. */
const places = /\b__dirname\b|\b__filename\b|\bimport\.meta\b/;
/** What esbuild says of code whose modules nobody can know before it runs, or that asks where it lies in ways that one file cannot answer. */
const logOverride = /** @type {const} */ ({
  'unsupported-require-call': 'warning',
  'unsupported-dynamic-import': 'warning',
  'indirect-require': 'warning',
  'empty-import-meta': 'warning',
});
const shownErrors = 2;
/** The innermost package that a file is of. */
const packagePath = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/.@][^/]*(?=\/)/;
/** Imports are taken as they are written: Node.js drops none that is not said to be of a type. */
const tsconfigRaw = { compilerOptions: { verbatimModuleSyntax: true } };

/**
 * @param {typeof import('esbuild')} esbuild
 * @param {string} codeDir @param {string} file the handler's
 * @param {readonly string[]} [external] modules that are left as they are named: a custom pool has them
 * @returns {Promise<{ code: string, map: string, reached: string[] }>} all in ASCII; and the packages that it was made of, by their paths
 * @throws NotBundled with the reason
 */
export async function bundleCode(esbuild, codeDir, file, external = []) {
  try {
    const { outputFiles, metafile, warnings } = await esbuild.build({
      ...settings,
      external: [...settings.external, ...external],
      absWorkingDir: codeDir,
      entryPoints: [file],
      // Where sources lie is told from here.
      outfile: `${codeDir}/bundle.cjs`,
      plugins: [ownPlaces(esbuild)],
    });
    const unknown = warnings.find(isUnknowable);
    if (unknown !== undefined) throw new NotBundled(`${unknown.text}${placeOf(unknown)}`);
    const text = (/** @type {string} */ end) => outputFiles.find(({ path }) => path.endsWith(end))?.text ?? '';
    const reached = new Set(Object.keys(metafile.inputs).flatMap((path) => packagePath.exec(path)?.[0] ?? []));
    return { code: text('.cjs'), map: text('.map'), reached: [...reached] };
  } catch (error) {
    if (!isBuildFailure(error)) throw error;
    throw new NotBundled(
      error.errors
        .slice(0, shownErrors)
        .map((one) => `${one.text}${placeOf(one)}`)
        .join('; '),
    );
  }
}

/**
 * Resolves and runs as Node.js does: no field, condition or setting that it does not know.
 * @satisfies {import('esbuild').BuildOptions}
 */
const settings = {
  bundle: true,
  // Ours takes its place, see provide-framework.mjs.
  external: [frameworkName],
  write: /** @type {const} */ (false),
  platform: /** @type {const} */ ('node'),
  target: `node${process.versions.node.split('.', 1)[0]}`,
  format: /** @type {const} */ ('cjs'),
  mainFields: ['main'],
  conditions: [],
  resolveExtensions: ['.js', '.json', '.node'],
  tsconfigRaw,
  // A class that is renamed would be another one to those who read its name.
  keepNames: true,
  // A start reads every byte.
  minifyWhitespace: true,
  banner: { js: around.before },
  footer: { js: around.after },
  legalComments: /** @type {const} */ ('none'),
  sourcemap: /** @type {const} */ ('external'),
  sourcesContent: false,
  metafile: /** @type {const} */ (true),
  logLevel: /** @type {const} */ ('silent'),
  logOverride,
};

/** Each module finds itself where it lies, not where the bundle does. @param {typeof import('esbuild')} esbuild @returns {import('esbuild').Plugin} */
const ownPlaces = (esbuild) => ({
  name: 'own-places',
  setup(build) {
    build.onLoad({ filter: /\.[cm]?[jt]s$/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8');
      if (!places.test(text)) return undefined;
      const here = JSON.stringify(path);
      const folder = JSON.stringify(dirname(path));
      const { code } = await esbuild.transform(text, {
        loader: /ts$/.test(path) ? 'ts' : 'js',
        sourcefile: path,
        tsconfigRaw,
        sourcemap: 'inline',
        sourcesContent: false,
        logLevel: 'silent',
        define: {
          __filename: here,
          __dirname: folder,
          'import.meta.url': JSON.stringify(pathToFileURL(path).href),
          'import.meta.filename': here,
          'import.meta.dirname': folder,
        },
      });
      return { contents: code, loader: 'js' };
    });
  },
});

/** Packages are taken at their word: those that load by a computed name do so by an absolute path, or by the name of a package. @param {import('esbuild').Message} message */
const isUnknowable = ({ id, location }) => id in logOverride && !/(?:^|\/)node_modules\//.test(location?.file ?? '');

/** @param {import('esbuild').Message} message */
const placeOf = ({ location }) => (location === null ? '' : ` (${location.file}:${location.line})`);

/** @param {unknown} error @returns {error is import('esbuild').BuildFailure} */
const isBuildFailure = (error) => error instanceof Error && 'errors' in error && Array.isArray(error.errors);
