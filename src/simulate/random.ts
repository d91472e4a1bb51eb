/** Numbers by chance that come again with the same seed: sfc32 by Chris Doty-Humphrey (PractRand), seeded from a text by FNV-1a. */
export type Random = () => number;

const prime = 0x01000193;
const offset = 0x811c9dc5;
const warmUpRounds = 15;
const two32 = 2 ** 32;

/** @returns numbers from 0 to 1, exclusive; the same ones for the same text */
export function randomOf(seed: string): Random {
  let hash = offset;
  for (let at = 0; at < seed.length; at++) hash = Math.imul(hash ^ seed.charCodeAt(at), prime);
  let [a, b, c, counter] = [hash | 0, Math.imul(hash, prime) | 0, hash ^ seed.length, 1];
  const next = () => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return (sum >>> 0) / two32;
  };
  for (let round = 0; round < warmUpRounds; round++) next();
  return next;
}

/** One number of the normal distribution (Box and Muller, 1958). */
export const normalOf = (random: Random): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
