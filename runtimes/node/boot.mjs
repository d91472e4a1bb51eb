// The first file of every Node.js sandbox.
//
// Budget: 2 ms more than a bare Node.js. The agent makes one file of this folder, and no built-in module is imported anywhere in it:
// getBuiltinModule() gives the same without the ES module around it, which costs 0.1 ms and up to 100 KB for each.
import { takeConnections } from './connections.mjs';

takeConnections(async (open) => {
  const { openInstance } = await import('./open-instance.mjs');
  return openInstance(open, process.argv.slice(2));
});
