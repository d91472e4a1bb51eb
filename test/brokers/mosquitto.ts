/** A real Mosquitto. With a kill it loses what it has not saved. */
import { chmodSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { freePort } from '../../bench/free-port.ts';
import { connectAsync, type IClientPublishOptions } from 'mqtt';
import { Broker, brokerFolder, brokerPassword, runTool } from './broker.ts';

export const mosquittoUser = 'swiftlet';

/** @param settings lines of its configuration */
export async function startMosquitto(settings: readonly string[] = []): Promise<Broker> {
  const port = await freePort();
  const folder = brokerFolder('mosquitto');
  const passwords = join(folder, 'passwords');
  await runTool(folder, 'mosquitto_passwd', ['-b', '-c', passwords, mosquittoUser, brokerPassword]);
  const configuration = join(folder, 'mosquitto.conf');
  writeFileSync(
    configuration,
    [
      `listener ${port} 127.0.0.1`,
      'allow_anonymous false',
      `password_file ${passwords}`,
      'persistence true',
      `persistence_location ${folder}/`,
      'max_queued_messages 100000',
      ...settings,
      '',
    ].join('\n'),
  );
  chmodSync(configuration, 0o644);
  const broker = new Broker(port, folder, {
    command: 'mosquitto',
    args: ['-v', '-c', configuration],
    ready: /mosquitto version \S+ running/,
  });
  await broker.start();
  return broker;
}

/** Resolves when what it has in memory is on its disk. */
export async function saveMosquitto(broker: Broker): Promise<void> {
  const savedMs = () => statSync(join(broker.folder, 'mosquitto.db'), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const before = savedMs();
  broker.signal('SIGUSR1');
  while (savedMs() === before) await setTimeout(10);
}

/** Resolves when it has them all. */
export async function publish(
  port: number,
  topic: string,
  bodies: readonly (string | Uint8Array)[],
  options: IClientPublishOptions = { qos: 1 },
): Promise<void> {
  const client = await connectAsync(`mqtt://127.0.0.1:${port}`, { username: mosquittoUser, password: brokerPassword, protocolVersion: 5 });
  for (const body of bodies) await client.publishAsync(topic, Buffer.from(body), options);
  await client.endAsync();
}
