import { connectApi } from '../api-client.ts';
import { openOutput, table } from '../output.ts';

export async function versions(name: string, { json = false }: { json?: boolean }): Promise<void> {
  const output = openOutput(json);
  const all = await output.progress('listing', connectApi(process.env).versions(name));
  output.result(all, () =>
    table(
      ['VERSION', 'DIGEST', 'SIZE', 'CREATED'],
      all.map(({ number, digest, size, createdAt }) => [String(number), digest.slice(0, 12), `${Math.ceil(size / 1024)} KiB`, createdAt]),
    ),
  );
}
