/** The port of Lambda's API: a server of its own, so that its paths meet no function's. */
import { type CallerPlace, callerServer, listenAt } from '../http/caller-server.ts';
import { type Connections, connectionsOf } from '../http/connections.ts';
import type { LambdaDoor } from './lambda-door.ts';

/**
 * Listens.
 * @param isStopping whether answers are the last on their connections
 * @throws the system's error when the port is taken
 */
export async function openLambdaServer(
  place: CallerPlace,
  door: Pick<LambdaDoor, 'take'>,
  isStopping: () => boolean,
): Promise<Connections> {
  const server = callerServer((request, response) => {
    if (isStopping()) response.setHeader('connection', 'close');
    door.take(request, response);
  });
  const connections = connectionsOf(server);
  await listenAt(server, place);
  return connections;
}
