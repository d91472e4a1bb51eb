/** Tables of plain values, as traces have them: a head, then rows of as many values, without quotes. */
import { SwiftletError } from '../model/errors.ts';

export interface Csv {
  readonly head: readonly string[];
  /** @throws SwiftletError BadRequest with the file and the line */
  rows(): Iterable<CsvRow>;
}

export interface CsvRow {
  readonly values: readonly string[];
  /** Like `traffic.csv:12`. */
  readonly place: string;
}

/** @param name of the file, for messages */
export function parseCsv(text: string, name: string): Csv {
  const lines = text.split(/\r?\n/);
  const head = (lines[0] ?? '').split(',').map((title) => title.trim());
  return {
    head,
    *rows() {
      for (let at = 1; at < lines.length; at++) {
        const line = lines[at] ?? '';
        if (line === '') continue;
        const values = line.split(',');
        const place = `${name}:${at + 1}`;
        if (values.length !== head.length)
          throw refused(place, `it has ${values.length} values, but the first line names ${head.length}; quotes are not known here`);
        yield { values, place };
      }
    },
  };
}

/** The number in a row's column. @throws SwiftletError BadRequest when it is none, or below 0 */
export function numberAt({ values, place }: CsvRow, column: number, title: string): number {
  const text = values[column] ?? '';
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value < 0)
    throw refused(place, `${title} is ${JSON.stringify(text.slice(0, 40))}; it is a number that is not below 0`);
  return value;
}

/** A column by its title. @throws SwiftletError BadRequest when there is none */
export function columnOf({ head }: Csv, title: string, name: string): number {
  const at = head.indexOf(title);
  if (at < 0) throw refused(`${name}:1`, `there is no column ${title}`);
  return at;
}

export const refused = (place: string, what: string): SwiftletError => new SwiftletError('BadRequest', `${place}: ${what}`, { place });
