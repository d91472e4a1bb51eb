/** The last good answers of a function, by what was asked: told when it cannot answer (stale-if-error, RFC 5861). */
import type { IncomingHttpHeaders } from 'node:http';

export interface GoodAnswer {
  readonly status: number;
  /** Names and values in turn. */
  readonly headers: readonly string[];
  readonly body: Buffer;
  readonly atMs: number;
}

/** What one function's answers may take: so many, each so large. The one that was given longest ago goes first. */
const [maxAnswers, maxBodyBytes] = [100, 64 * 1024];
/** Who asks with these gets an answer of his own. */
const personal = ['authorization', 'cookie', 'range'] as const;

export class LastGood {
  readonly #answers = new Map<string, GoodAnswer>();

  /** @param target the path and the query */
  keep(target: string, answer: GoodAnswer): void {
    if (answer.body.length > maxBodyBytes || !isForAll(answer)) return;
    this.#answers.delete(target);
    this.#answers.set(target, answer);
    const [oldest] = this.#answers.keys();
    if (this.#answers.size > maxAnswers && oldest !== undefined) this.#answers.delete(oldest);
  }

  find(target: string, maximumAgeMs: number, nowMs: number): GoodAnswer | undefined {
    const answer = this.#answers.get(target);
    return answer !== undefined && nowMs - answer.atMs <= maximumAgeMs ? answer : undefined;
  }
}

/** Whether an answer to this request may be given to others who ask the same. */
export const isPlainGet = (method: string | undefined, headers: IncomingHttpHeaders): boolean =>
  method === 'GET' && personal.every((name) => headers[name] === undefined);

function isForAll({ status, headers }: Pick<GoodAnswer, 'status' | 'headers'>): boolean {
  if (status < 200 || status > 299 || status === 206) return false;
  for (let at = 0; at < headers.length; at += 2) {
    const name = headers[at] ?? '';
    if (name === 'set-cookie' || name === 'vary') return false;
    if (name === 'cache-control' && /\b(?:private|no-store)\b/i.test(headers[at + 1] ?? '')) return false;
  }
  return true;
}
