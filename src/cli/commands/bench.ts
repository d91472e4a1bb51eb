import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { SwiftletError } from '../../model/errors.ts';
import { packageFolder } from '../../role/package-folder.ts';

export async function bench(args: readonly string[]): Promise<void> {
  const main = join(packageFolder, 'bench', 'main.ts');
  if (!existsSync(main))
    throw new SwiftletError('NotFound', 'the bench is not part of the package; run it in a checkout of the repository: npm run bench');
  const child = spawn(process.execPath, [main, ...args], { stdio: 'inherit', cwd: packageFolder });
  process.exitCode = await new Promise<number>((resolve) => child.once('exit', (code) => resolve(code ?? 1)));
}
