// Runs a bundle once, or the code that it was made of, and keeps what V8 made of it. A process of its own: what the code does to it hurts nobody.
import { cacheFile, evaluate, readScript } from './bundled-code.mjs';
import { provideFramework } from './provide-framework.mjs';

const { renameSync, writeFileSync } = process.getBuiltinModule('node:fs');
const { createRequire } = process.getBuiltinModule('node:module');
const { join } = process.getBuiltinModule('node:path');

const [what, folder = '', file = ''] = process.argv.slice(2);

/** @param {import('node:vm').Script} script */
function keep(script) {
  const path = join(folder, cacheFile);
  writeFileSync(`${path}.new`, script.createCachedData());
  renameSync(`${path}.new`, path);
}

/** @param {string} text tells the parent how it ended */
const end = (text) => {
  writeFileSync(join(folder, what === 'bundle' ? 'bundle.end' : 'plain.end'), text);
  process.exit(0);
};

provideFramework();
try {
  if (what === 'bundle') {
    const script = readScript(folder, file);
    // Should the code never end: it is less, and better than nothing.
    keep(script);
    evaluate(script, folder, file);
    // With all functions that were compiled meanwhile.
    keep(script);
  } else {
    createRequire(file)(file);
  }
  end('');
} catch (error) {
  end(error instanceof Error ? `${error.name}: ${error.message}` : 'something was thrown that is no error');
}
