import { connectApi } from '../connect-api.ts';
import { knownFunction } from '../known-function.ts';
import { openOutput } from '../output.ts';
import { table } from '../table.ts';

export async function versions(name: string, { json = false }: { json?: boolean }): Promise<void> {
  const output = openOutput(json);
  const api = connectApi(process.env);
  const { serving, versions: all } = await output.progress('listing', knownFunction(api, name, api.versions(name)));
  output.result(all, () =>
    table(
      ['VERSION', '', 'DIGEST', 'SIZE', 'CREATED'],
      all.map(({ number, digest, size, createdAt }) => [
        String(number),
        number === serving ? 'serves' : '',
        digest.slice(0, 12),
        `${Math.ceil(size / 1024)} KiB`,
        createdAt,
      ]),
    ),
  );
}
