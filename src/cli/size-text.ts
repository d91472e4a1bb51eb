/** What is worth saying of a bundle's size, in a few lines; the whole of it is in `--json`. */
import type { SizeAdvice } from '../model/size.ts';

const bytesPerMiB = 1024 * 1024;
/** A bundle below this starts as fast as one of nothing. */
const largeFrom = 10 * bytesPerMiB;
/** What is less is not worth who would remove it; for the unused also what is this part of the whole. */
const worthBytes = bytesPerMiB;
const worthShare = 0.1;
const named = 3;

/** @param advice undefined: it is not known @param isBundled whether the code starts as one file */
export function sizeLines(advice: SizeAdvice | undefined, isBundled: boolean): string[] {
  return advice === undefined ? [] : [...largest(advice), ...unused(advice), ...shared(advice, isBundled)];
}

function largest({ bytes, files, largest: parts }: SizeAdvice): string[] {
  if (bytes < largeFrom || parts.length === 0) return [];
  const most = parts.slice(0, named).map((part) => `${shortName(part.path)} ${mebibytes(part.bytes)}`);
  return [`${mebibytes(bytes)} unpacked in ${files} files; the largest: ${most.join(', ')}`];
}

function unused({ bytes, unused: all }: SizeAdvice): string[] {
  const total = sum(all);
  if (total < worthBytes || total < bytes * worthShare) return [];
  const reasons = all.filter((one) => one.bytes >= total * worthShare).map((one) => `${mebibytes(one.bytes)} ${one.why}${names(one)}`);
  return [
    `${mebibytes(total)} of it seems unused: ${reasons.join('; ')}; leave it out of the dependencies, or by "build: { exclude: [...] }"`,
  ];
}

/** In which packages tests and the like lie is of less use than which packages nothing imports. */
const names = ({ why, paths }: SizeAdvice['unused'][number]): string =>
  why === 'not imported' || why === 'development dependencies' ? ` (${paths.slice(0, named).map(shortName).join(', ')})` : '';

function shared({ shared: all }: SizeAdvice, isBundled: boolean): string[] {
  const others = all.filter(({ functions }) => functions.length > 1);
  const total = sum(others);
  if (total < worthBytes) return [];
  const functions = [...new Set(others.flatMap((part) => part.functions))];
  const parts = others.slice(0, named).map(({ path }) => shortName(path));
  const price = isBundled ? '; code on layers does not start as one file' : '';
  return [`the same ${mebibytes(total)} (${parts.join(', ')}) are in ${functions.length} functions: a layer would have them once${price}`];
}

const sum = (parts: readonly { readonly bytes: number }[]): number => parts.reduce((total, { bytes }) => total + bytes, 0);

/** As its package is called. */
const shortName = (path: string): string => path.replace(/^.*(?:node_modules|site-packages)\//, '');

const mebibytes = (bytes: number): string => `${(bytes / bytesPerMiB).toFixed(bytes < largeFrom ? 1 : 0)} MiB`;
