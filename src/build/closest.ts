import { closest, distance } from 'fastest-levenshtein';

const maxShareChanged = 0.5;

/** What somebody probably meant, or undefined. */
export function didYouMean(word: string, known: readonly string[]): string | undefined {
  if (known.length === 0) return undefined;
  const best = closest(word, known);
  return distance(word, best) <= Math.max(word.length, best.length) * maxShareChanged ? best : undefined;
}

/** ` ; did you mean "x"?`, or a list of what there is. */
export function suggestion(word: string, known: readonly string[]): string {
  const best = didYouMean(word, known);
  return best === undefined ? `; known are ${known.join(', ')}` : `; did you mean "${best}"?`;
}
