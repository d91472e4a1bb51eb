/** Code that a process of ours has compiled is there for the next one, wherever it sees it. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, globSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { compiledIn } from '../../src/role/compiled-code.ts';
import { packageFolder } from '../../src/role/package-folder.ts';

const asked = `
  import { getCompileCacheDir } from 'node:module';
  const { compiledBefore, keepCompiled } = await import('./role/compiled-code.ts');
  keepCompiled();
  console.log(JSON.stringify({ isOn: getCompileCacheDir() !== undefined, left: process.env.NODE_COMPILE_CACHE, handed: compiledBefore() }));
`;
const compiled = (folder: string) => globSync('cache/**', { cwd: folder }).filter((path) => !path.endsWith('.tmp'));

test('what was compiled is kept beside the code, is handed on, and holds at another path of it', () => {
  const folder = mkdtempSync(join(tmpdir(), 'swiftlet-compiled-'));
  try {
    const [here, there] = [join(folder, 'here'), join(folder, 'there')];
    mkdirSync(join(here, 'role'), { recursive: true });
    cpSync(join(packageFolder, 'src', 'role', 'compiled-code.ts'), join(here, 'role', 'compiled-code.ts'));
    const run = (cwd: string) => {
      const environment = compiledIn(join(cwd, 'cache'));
      const said: unknown = JSON.parse(
        execFileSync(process.execPath, ['--input-type=module', '-e', asked], { cwd, env: environment, encoding: 'utf8' }),
      );
      assert.deepEqual(said, { isOn: true, handed: environment });
      return compiled(cwd);
    };
    const first = run(here);
    assert.ok(first.length > 0);
    cpSync(here, there, { recursive: true });
    assert.deepEqual(run(there), first);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
