/** A connection to NATS for one source or destination: it is not repaired when it breaks, and what goes wrong is said in our words. */
import {
  type Authenticator,
  connect,
  credsAuthenticator,
  errors,
  type NatsConnection,
  type Subscription,
  tokenAuthenticator,
  usernamePasswordAuthenticator,
} from '@nats-io/transport-node';
import { SwiftletError } from '../../model/errors.ts';
import type { NatsConnectionSettings } from '../../model/sources/nats.ts';
import type { SourceMeans } from './source.ts';

const connectLimitMs = 5_000;
const closeLimitMs = 2_000;
/** A server that is gone without a word is missed after two of these. */
const pingEveryMs = 5_000;

/** Who is let in by what the settings say; nobody in particular when they say nothing. */
function authenticatorOf(settings: NatsConnectionSettings, secret: SourceMeans['secret']): Authenticator[] {
  const { user, passwordVariable, tokenVariable, credentialsVariable } = settings;
  if (credentialsVariable !== undefined) return [credsAuthenticator(Buffer.from(secret(credentialsVariable)))];
  if (tokenVariable !== undefined) return [tokenAuthenticator(secret(tokenVariable))];
  if (user === undefined) return [];
  return [usernamePasswordAuthenticator(user, passwordVariable === undefined ? undefined : secret(passwordVariable))];
}

/**
 * Connects to the first server that answers.
 * @param name by which the server shows the connection to its operators
 * @throws SwiftletError with a fault of sources
 */
export async function connectNats(
  settings: NatsConnectionSettings,
  name: string,
  secret: SourceMeans['secret'],
  signal: AbortSignal,
): Promise<NatsConnection> {
  signal.throwIfAborted();
  const authenticator = authenticatorOf(settings, secret);
  const connecting = connect({
    servers: settings.servers,
    name,
    authenticator,
    reconnect: false,
    waitOnFirstConnect: false,
    timeout: connectLimitMs,
    pingInterval: pingEveryMs,
    maxPingOut: 2,
  }).catch((error: unknown) => {
    throw natsFault(error, settings);
  });
  const aborted = Promise.withResolvers<never>();
  const stop = () => aborted.reject(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await Promise.race([connecting, aborted.promise]);
  } catch (error) {
    // Nobody waits for it any more: it is not left open.
    void connecting.then(closeNats, () => undefined);
    throw error;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** Closes it within some seconds, whether the server answers or not. */
export async function closeNats(connection: NatsConnection): Promise<void> {
  if (connection.isClosed()) return;
  // What was sent last, acknowledgements among it, is to arrive; a server that does not answer is not waited for.
  const limit = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => limit.resolve(undefined), closeLimitMs);
  await Promise.race([connection.flush().catch(() => undefined), limit.promise]);
  clearTimeout(timer);
  await connection.close();
}

/** Resolves with the fault of sources when the connection is closed, by whomever. */
export const closedNats = async (connection: NatsConnection, settings: NatsConnectionSettings): Promise<SwiftletError> =>
  natsFault((await connection.closed()) ?? new errors.ClosedConnectionError(), settings);

/** What went wrong, as a fault of sources. */
export function natsFault(error: unknown, { servers }: Pick<NatsConnectionSettings, 'servers'>): SwiftletError {
  if (error instanceof SwiftletError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const where = servers.join(', ');
  if (isRefusal(error))
    return new SwiftletError(
      'SourceRefused',
      `NATS at ${where} does not let Swiftlet in: ${message}; look at "user" and the variables with its secrets, and at its permissions there`,
      { cause: error },
    );
  return new SwiftletError('SourceUnreachable', `NATS at ${where} does not answer: ${message}`, { cause: error });
}

const isRefusal = (error: unknown): boolean =>
  error instanceof errors.AuthorizationError ||
  error instanceof errors.UserAuthenticationExpiredError ||
  error instanceof errors.PermissionViolationError;

export type { NatsConnection, Subscription };
