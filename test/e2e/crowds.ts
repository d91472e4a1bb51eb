/** Many callers at once. */
import { connectTo } from './raw-http.ts';
import { type E2e, eventually } from './functions.ts';

const connectAtOnce = 200;

export async function gauge({ platform }: E2e, name: string): Promise<number> {
  return Number(new RegExp(`^${name} (\\d+)`, 'm').exec(await platform.api.metrics())?.[1]);
}

/** Resolves when no request is in flight or waiting at the gateway. */
export const atRest = (e2e: E2e, limitMs = 10_000): Promise<unknown> =>
  eventually(
    () => gauge(e2e, 'swiftlet_requests_in_flight'),
    (count) => count === 0,
    limitMs,
  );

/** Callers that send a request and hang up before its answer, some at once, some in its middle. */
export async function hangUps({ platform }: E2e, path: string, count: number): Promise<void> {
  for (let done = 0; done < count; done += connectAtOnce) {
    await Promise.all(
      Array.from({ length: Math.min(connectAtOnce, count - done) }, async (_, at) => {
        const socket = await connectTo(platform.gatewayUrl);
        socket.write(`POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: ${at % 3 === 0 ? 100 : 0}\r\n\r\n`);
        await new Promise((resolve) => setTimeout(resolve, at % 20));
        // A third close, a third reset, a third reset with bytes unread.
        if (at % 3 === 1) socket.destroy();
        else socket.resetAndDestroy();
      }),
    );
  }
}
