// The first file of a sandbox whose code is a program: a custom runtime as AWS Lambda knows them, or any server. This process speaks with
// the platform as every runtime does; the program is its child, in the same sandbox. See docs/decisions/0045-programs-have-a-companion.md.
import { takeConnections } from '../node/connections.mjs';

takeConnections(async (open) => {
  const { openInstance } = await import('./open-instance.mjs');
  return openInstance(open);
});
