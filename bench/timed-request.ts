import { Agent, type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from 'node:http';

export interface TimedAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** From before the connection is opened to the last byte of the answer. */
  readonly tookMs: number;
}

export interface RequestOptions {
  readonly method?: string;
  readonly body?: string;
  readonly headers?: OutgoingHttpHeaders;
  /** Absent: a connection of its own, opened for this request, whose opening is part of its time. */
  readonly agent?: Agent;
  readonly signal?: AbortSignal;
}

/** Sends a request and measures it. @throws when no whole answer comes */
export async function timedRequest(
  url: string,
  { method = 'GET', body, headers = {}, agent, signal }: RequestOptions = {},
): Promise<TimedAnswer> {
  const own = agent === undefined ? new Agent({ keepAlive: true }) : undefined;
  try {
    return await new Promise<TimedAnswer>((resolve, reject) => {
      const startedAt = performance.now();
      const sent = request(url, { method, headers, agent: agent ?? own, ...(signal === undefined ? {} : { signal }) }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const tookMs = performance.now() - startedAt;
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks).toString(), tookMs });
        });
      });
      sent.on('error', reject);
      sent.end(body);
    });
  } finally {
    own?.destroy();
  }
}
