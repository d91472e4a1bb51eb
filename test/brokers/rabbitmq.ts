/** A real RabbitMQ, with a name server (epmd) of its own: the one that Erlang starts by itself would outlive it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../bench/free-port.ts';
import { connect, type ConfirmChannel } from 'amqplib';
import { Broker, brokerFolder, brokerPassword, runTool } from './broker.ts';

export const rabbitmqUser = 'swiftlet';

export interface Rabbitmq extends Broker {
  /** Has it write down which queues there are: it says that one is there up to two seconds before that is on its disk. */
  save(): Promise<void>;
}

export async function startRabbitmq(): Promise<Rabbitmq> {
  await using started = new AsyncDisposableStack();
  const [port, nodePort, namesPort] = [await freePort(), await freePort(), await freePort()];
  const names = started.use(
    new Broker(namesPort, brokerFolder('epmd'), {
      command: 'epmd',
      args: ['-d', '-port', String(namesPort), '-address', '127.0.0.1'],
      ready: /epmd running/,
    }),
  );
  await names.start();
  const folder = brokerFolder('rabbitmq');
  const node = { RABBITMQ_NODENAME: 'swiftlet@localhost', ERL_EPMD_PORT: String(namesPort), RABBITMQ_CONF_ENV_FILE: join(folder, 'none') };
  const plugins = join(folder, 'enabled_plugins');
  const configuration = join(folder, 'rabbitmq.conf');
  writeFileSync(plugins, '[].\n');
  writeFileSync(
    configuration,
    [
      `listeners.tcp.1 = 127.0.0.1:${port}`,
      `default_user = ${rabbitmqUser}`,
      `default_pass = ${brokerPassword}`,
      'log.console = true',
      'log.console.level = info',
      'log.file = false',
      '',
    ].join('\n'),
  );
  const broker = new Broker(port, folder, {
    command: '/usr/lib/rabbitmq/bin/rabbitmq-server',
    args: [],
    environment: {
      ...node,
      // The script becomes the server, instead of a shell that waits for it.
      RUNNING_UNDER_SYSTEMD: 'true',
      RABBITMQ_CONFIG_FILE: configuration,
      RABBITMQ_ENABLED_PLUGINS_FILE: plugins,
      RABBITMQ_MNESIA_BASE: folder,
      RABBITMQ_LOG_BASE: folder,
      RABBITMQ_DIST_PORT: String(nodePort),
      RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '-kernel inet_dist_use_interface {127,0,0,1}',
      ERL_EPMD_ADDRESS: '127.0.0.1',
    },
    ready: /Server startup complete/,
  });
  await broker.start();
  return Object.assign(broker.owns(started.move()), {
    async save() {
      await runTool(folder, '/usr/lib/rabbitmq/bin/rabbitmqctl', ['eval', 'mnesia:sync_log().'], node);
    },
  });
}

/** For what a test has to say to it. Resolves when RabbitMQ has all that was published. */
export async function withChannel(port: number, work: (channel: ConfirmChannel) => Promise<unknown>): Promise<void> {
  const connection = await connect(`amqp://${rabbitmqUser}:${brokerPassword}@127.0.0.1:${port}`);
  const channel = await connection.createConfirmChannel();
  await work(channel);
  await channel.waitForConfirms();
  await connection.close();
}
