import { connectApi } from '../connect-api.ts';
import { knownFunction } from '../known-function.ts';
import { openOutput } from '../output.ts';

export async function remove(name: string, { json = false }: { json?: boolean }): Promise<void> {
  const output = openOutput(json);
  const api = connectApi(process.env);
  await output.progress('removing', knownFunction(api, name, api.remove(name)));
  output.result({ removed: name }, () => `${name} is removed, with its versions and its log.`);
}
