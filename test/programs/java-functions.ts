/** Functions in Java for tests and benchmarks, compiled once, with libraries from Maven Central. */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { builtFolder, filesIn, runTool } from './built.ts';

const source = fileURLToPath(new URL('java-function', import.meta.url));

/** All of them: classes without a library in plain/, those with libraries in shop/, and those in lib/. */
const builtJava = (): Promise<string> =>
  builtFolder(source, async (folder) => {
    const jars = join(folder, 'lib');
    const words = ['dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${jars}`];
    await runTool('mvn', ['-B', '-q', '-C', ...words], source);
    const found = filesIn(jars).map((file) => `${createHash('sha256').update(readFileSync(file)).digest('hex')}  ${basename(file)}\n`);
    const sums = join(source, 'sha256sums.txt');
    if (found.join('') !== readFileSync(sums, 'utf8')) throw new Error(`the jars are not those of ${sums}:\n${found.join('')}`);
    const files = filesIn(source).filter((file) => file.endsWith('.java'));
    await runTool('javac', ['--release', '17', '-cp', join(jars, '*'), '-d', folder, ...files], source);
  });

/** What cannot be built is said, and said again by the tests that need it. */
export const prepareJavaFunctions = async (): Promise<void> => {
  await builtJava().catch((error: unknown) => process.stderr.write(`the functions in Java are missing: ${String(error)}\n`));
};

/** A bundle: its files by path. */
type JavaBundle = Readonly<Record<string, Buffer>>;

async function bundleOf(isPart: (path: string) => boolean): Promise<JavaBundle> {
  const folder = await builtJava();
  const files = filesIn(folder).filter((file) => isPart(relative(folder, file)));
  return Object.fromEntries(files.map((file) => [relative(folder, file), readFileSync(file)]));
}

/** `plain.Forms`: classes, and nothing else. */
export const plainJava = (): Promise<JavaBundle> => bundleOf((path) => path.startsWith('plain/'));

/** `shop.Orders`, `shop.Batch`, `shop.Echo`, with AWS's events and Jackson. */
export const shopJava = (): Promise<JavaBundle> => bundleOf((path) => !path.startsWith('plain/'));

/** The same as one jar, beside those of the libraries. */
export async function shopJar(): Promise<JavaBundle> {
  const folder = await builtJava();
  const work = `${folder}.jar-${process.pid}`;
  mkdirSync(work, { recursive: true });
  try {
    const jar = join(work, 'shop.jar');
    await runTool('jar', ['cf', jar, '-C', folder, 'shop'], folder);
    return { ...(await bundleOf((path) => path.startsWith('lib/'))), 'shop.jar': readFileSync(jar) };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Where all of it lies, for who runs it without a sandbox. */
export const javaFolder = builtJava;
