import { connectApi } from '../api-client.ts';
import { openOutput } from '../output.ts';

export async function remove(name: string, { json = false }: { json?: boolean }): Promise<void> {
  const output = openOutput(json);
  await output.progress('removing', connectApi(process.env).remove(name));
  output.result({ removed: name }, () => `${name} is removed, with its versions and its log.`);
}
