import colors from 'picocolors';
import { connectApi } from '../api-client.ts';
import { openOutput, table } from '../output.ts';

export async function describe(name: string, { json = false }: { json?: boolean }): Promise<void> {
  const output = openOutput(json);
  const api = connectApi(process.env);
  const described = await output.progress('asking', api.describe(name));
  output.result(described, () => {
    const { serving, instances } = described;
    const { environment, ...config } = serving.config;
    const facts = [
      ['function', colors.bold(described.name)],
      ['version', `${serving.number}, published ${serving.createdAt}`],
      ['code', `${serving.digest.slice(0, 12)}, ${Math.ceil(serving.size / 1024)} KiB`],
      ...Object.entries(config).map(([key, value]) => [key, String(value)]),
      ['environment', Object.keys(environment).join(', ') || 'none'],
    ];
    const running = instances.map((instance) => [
      instance.instanceId,
      String(instance.version),
      instance.state,
      `${Math.round(instance.memoryBytes / 1024 / 1024)} MiB`,
      instance.startedAt,
    ]);
    return `${table(['', ''], facts)}\n\n${running.length === 0 ? 'No instances: the next request starts one.' : table(['INSTANCE', 'VERSION', 'STATE', 'MEMORY', 'STARTED'], running)}`;
  });
}
