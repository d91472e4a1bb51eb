import { InvalidArgumentError } from 'commander';

/** Reads an option that is a whole number in a range. @returns what throws commander's error for anything else */
export const numberTo =
  (least: number, most: number) =>
  (text: string): number => {
    const count = Number(text);
    if (/^\d+$/.test(text) && count >= least && count <= most) return count;
    throw new InvalidArgumentError(`It is a whole number from ${least} to ${most}.`);
  };
