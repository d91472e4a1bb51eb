// How the JVM is started: with the function's classes as its class path, and from their archive where there is one.
import { ProgramFailure } from './program-failure.mjs';

const { existsSync, readdirSync, readFileSync } = process.getBuiltinModule('node:fs');
const { join } = process.getBuiltinModule('node:path');

/** Beside this file: what src/agent/runtimes/java-runtime.ts has put there. */
const folder = join(import.meta.dirname, 'java');
const runtimeJar = join(folder, 'runtime.jar');
export const archiveFile = 'classes.jsa';
/** In a bundle's folder: the class path that its archive was made with. The JVM takes it with no other. */
export const classPathFile = 'class-path.txt';
/** What belongs to no class path. */
const derivedFolder = '.swiftlet';
const rehearsalClass = 'swiftlet.runtime.Rehearsal';
const mainClass = 'swiftlet.runtime.Main';
const packingClass = 'swiftlet.runtime.ClassesJar';
const optionsVariable = 'JAVA_TOOL_OPTIONS';

/** Of a function's memory the JVM takes so much beside its heap, with what else is in the sandbox. */
const besideHeapMiB = 112;
const heapShare = 0.8;
const smallestHeapMiB = 16;

/**
 * The program, and its release line.
 * @typedef {{ java: string, major: string }} Java
 *
 * @typedef {{ words: readonly string[], environment: NodeJS.ProcessEnv }} Command with what the JVM finds in its environment beside what it has
 */

/** @returns {Java} @throws ProgramFailure */
export function findJava() {
  const file = join(folder, 'java.json');
  if (!existsSync(file)) throw new ProgramFailure('RuntimeUnknown', 'this host has no Java; install a JDK of 17 or later');
  return JSON.parse(readFileSync(file, 'utf8'));
}

/** A JVM has one collector. */
const ownCollector = /-XX:\+Use\w*GC\b/;

/**
 * What is alike in a rehearsal and in an instance, since an archive holds for that alone. Short starts count here, not the last tenth of a long
 * run: one compiler, and the collector that starts at once.
 * @param {number} memoryMiB @param {string} own the function's options
 */
const flags = (memoryMiB, own) => [
  ...(ownCollector.test(own) ? [] : ['-XX:+UseSerialGC']),
  '-XX:TieredStopAtLevel=1',
  `-Xmx${Math.max(smallestHeapMiB, Math.floor(Math.min(memoryMiB * heapShare, memoryMiB - besideHeapMiB)))}m`,
  // A heap that is full is the function's end, as for every runtime.
  '-XX:+ExitOnOutOfMemoryError',
  // An archive that does not fit is no word in the function's log.
  '-Xlog:disable',
  '-Xlog:all=error:stderr',
];

/**
 * A JVM's options, and what follows them. Of two options the later one wins, and the function's own are to: they come by the environment, so ours
 * do then, too.
 * @param {number} memoryMiB @param {Record<string, string>} environment the function's @param {readonly string[]} words
 * @returns {Command}
 */
function commandWith(memoryMiB, environment, words) {
  const own = environment[optionsVariable];
  const usual = flags(memoryMiB, own ?? '');
  if (own === undefined) return { words: [...usual, ...words], environment: {} };
  return { words, environment: { [optionsVariable]: [...usual, own].join(' ') } };
}

/** @param {string} codeDir @param {import('../node/instance.mjs').InitRequest} request @returns {Command} */
export function instanceCommand(codeDir, { memoryMiB, environment, layers, bundle }) {
  const made = bundle === undefined ? undefined : join(codeDir, bundle);
  const classPath = made === undefined ? classPathOf(codeDir, layers) : readFileSync(join(made, classPathFile), 'utf8');
  const archive = made === undefined ? [] : [`-XX:SharedArchiveFile=${join(made, archiveFile)}`];
  return commandWith(memoryMiB, environment, [...archive, '-cp', classPath, mainClass]);
}

/**
 * @param {{ classPath: string, handler: string, memoryMiB: number, environment: Record<string, string> }} rehearsed
 * @param {string} archive where it is written
 */
export const rehearsalCommand = ({ classPath, handler, memoryMiB, environment }, archive) =>
  commandWith(memoryMiB, environment, [`-XX:ArchiveClassesAtExit=${archive}`, '-cp', classPath, rehearsalClass, handler]);

/** @param {string} codeDir @param {string} jar where it is written @returns {Command} */
export const packingCommand = (codeDir, jar) => ({
  words: ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-cp', runtimeJar, packingClass, codeDir, jar],
  environment: {},
});

/**
 * As on AWS Lambda: the bundle's folder, its jars, those in lib/, and those of layers.
 * @param {string} codeDir @param {string} [layers] @param {string} [classesJar] in the folder's place
 */
export function classPathOf(codeDir, layers, classesJar = codeDir) {
  const jars = [codeDir, join(codeDir, 'lib'), ...(layers === undefined ? [] : [join(layers, 'java', 'lib')])].flatMap(jarsIn);
  return [runtimeJar, ...(hasOwnFiles(codeDir) ? [classesJar] : []), ...jars].join(':');
}

/** @param {string} place @returns {string[]} */
const jarsIn = (place) =>
  existsSync(place)
    ? readdirSync(place)
        .filter((name) => name.endsWith('.jar'))
        .sort()
        .map((name) => join(place, name))
    : [];

/** Whether there is anything but jars. @param {string} codeDir @returns {boolean} */
export const hasOwnFiles = (codeDir) =>
  readdirSync(codeDir, { withFileTypes: true }).some(
    (entry) =>
      entry.name !== derivedFolder && !entry.name.endsWith('.jar') && !(entry.isDirectory() && isOnlyJars(join(codeDir, entry.name))),
  );

/** @param {string} place @returns {boolean} */
const isOnlyJars = (place) => readdirSync(place, { withFileTypes: true }).every((entry) => entry.isFile() && entry.name.endsWith('.jar'));
