import colors from 'picocolors';
import { connectApi } from '../api-client.ts';
import { deployFolder } from '../deploy.ts';
import { openOutput, table } from '../output.ts';

export async function deploy(folder: string, { json = false }: { json?: boolean }): Promise<void> {
  const output = openOutput(json);
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  const startedAt = performance.now();
  const deployed = await output.progress('building and publishing', deployFolder(folder, connectApi(process.env), stop.signal));
  output.result(deployed, () => {
    const rows = deployed.map(({ name, version, created, size, url }) => [
      colors.bold(name),
      `version ${version.number}${created ? '' : ' (unchanged)'}`,
      `${Math.ceil(size / 1024)} KiB`,
      url,
    ]);
    const [first] = deployed;
    return `${table(['FUNCTION', 'VERSION', 'SIZE', 'URL'], rows)}\n\n${colors.dim(`in ${((performance.now() - startedAt) / 1000).toFixed(2)} s; try it:`)} curl ${first?.url ?? ''}`;
  });
}
