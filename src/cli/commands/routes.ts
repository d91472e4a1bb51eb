import { routesViewSchema } from '../../wire/route-answers.ts';
import { colours } from '../colours.ts';
import { connectApi } from '../connect-api.ts';
import { openOutput } from '../output.ts';
import { table } from '../table.ts';

export async function routes({ json = false }: { json?: boolean }): Promise<void> {
  const output = openOutput(json);
  const { routes: all } = await output.progress('listing', connectApi(process.env).json(routesViewSchema, 'GET', '/v1/routes'));
  output.result(all, () =>
    all.length === 0
      ? 'No routes: each function is at its own address, /<function>/. "routes:" in swiftlet.yaml gives it others.'
      : table(
          ['METHOD', 'HOST', 'PATH', 'FUNCTION'],
          all.map(({ method, host = 'any', path, function: name, alias }) => [
            method,
            host,
            path,
            colours.bold(alias === undefined ? name : `${name}:${alias}`),
          ]),
        ),
  );
}
