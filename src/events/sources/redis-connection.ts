/** How Redis is spoken to, and what its refusals mean. */
import { createClient, RESP_TYPES } from '@redis/client';
import { SwiftletError } from '../../model/errors.ts';
import type { RedisConnectionSettings } from '../../model/sources/redis.ts';
import { errorText, sourceFault } from './fault.ts';
import type { SourceMeans } from './source.ts';

const connectLimitMs = 5_000;
const pingMs = 5_000;
/** A server that says nothing for so long, although it is asked, is gone. */
const silentLimitMs = 15_000;

export type RedisConnection = ReturnType<typeof redisConnection>;

/** Not connected yet. When it breaks, it stays broken, and says so by its event `error`. */
export const redisConnection = ({ address, user, passwordVariable }: RedisConnectionSettings, secret: SourceMeans['secret']) =>
  createClient({
    url: address,
    ...(user === undefined ? {} : { username: user }),
    ...(passwordVariable === undefined ? {} : { password: secret(passwordVariable) }),
    RESP: 2,
    disableOfflineQueue: true,
    pingInterval: pingMs,
    commandOptions: { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } },
    socket: { connectTimeout: connectLimitMs, socketTimeout: silentLimitMs, reconnectStrategy: false },
  });

export function redisFault({ address, stream }: { readonly address: string; readonly stream: string }, error: unknown): SwiftletError {
  if (error instanceof SwiftletError) return error;
  const text = errorText(error);
  if (/^(WRONGPASS|NOAUTH|NOPERM)/.test(text)) return sourceFault('SourceRefused', `Redis at ${address} refuses Swiftlet`, error);
  if (text.startsWith('WRONGTYPE')) return sourceFault('SourceInvalid', `"${stream}" at ${address} is no stream`, error);
  // It takes something again when there is room.
  if (text.startsWith('OOM')) return sourceFault('SourceUnreachable', `Redis at ${address} is full`, error);
  if (text.startsWith('ERR'))
    return sourceFault('SourceInvalid', `Redis at ${address} cannot be used`, error, 'streams need Redis 6 or later');
  return sourceFault('SourceUnreachable', `Redis at ${address} cannot be reached`, error);
}
