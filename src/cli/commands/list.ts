import { colours } from '../colours.ts';
import { connectApi } from '../connect-api.ts';
import { openOutput } from '../output.ts';
import { table } from '../table.ts';

export async function list({ json = false }: { json?: boolean }): Promise<void> {
  const output = openOutput(json);
  const functions = await output.progress('listing', connectApi(process.env).list());
  output.result(functions, () =>
    functions.length === 0
      ? 'No functions yet. Make one with "swiftlet init hello" and publish it with "swiftlet deploy hello".'
      : table(
          ['FUNCTION', 'VERSION', 'RUNTIME', 'MEMORY', 'CREATED'],
          functions.map(({ name, serving }) => [
            colours.bold(name),
            String(serving.number),
            serving.config.runtime,
            `${serving.config.memoryMiB} MiB`,
            serving.createdAt,
          ]),
        ),
  );
}
