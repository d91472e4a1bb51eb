/** Sends to a stream of Redis. */
import type { RedisQueue } from '../../model/sources/redis.ts';
import { redisConnection, redisFault } from './redis-connection.ts';
import type { Sink, SinkKind } from './sink.ts';

export const sinkKind: SinkKind<RedisQueue> = {
  async open(settings, { secret }) {
    const connection = redisConnection(settings, secret);
    // Whoever sends next hears of it.
    connection.on('error', () => undefined);
    const close = () => {
      if (connection.isOpen) connection.destroy();
    };
    try {
      await connection.connect();
    } catch (error) {
      close();
      throw redisFault(settings, error);
    }
    return {
      /** Redis tells no message from another: one that comes twice is there twice, with the same `id`. */
      async send({ id, body, contentType }) {
        try {
          await connection.sendCommand(['XADD', settings.stream, '*', 'data', Buffer.from(body), 'id', id, 'content-type', contentType]);
        } catch (error) {
          throw redisFault(settings, error);
        }
      },
      [Symbol.asyncDispose]() {
        close();
        return Promise.resolve();
      },
    } satisfies Sink;
  },
};
