/** What takes too long for every change: the attacks of threats.md in full, then ten minutes of mixed load. `npm run torture [-- attacks|soak]`. */
import { spawn } from 'node:child_process';
import { globSync } from 'node:fs';

const parts: Readonly<Record<string, readonly string[]>> = {
  attacks: ['--test', '--test-concurrency=1', ...globSync('torture/*.test.ts').sort()],
  soak: ['bench/main.ts', '--scenario', 'soak'],
};
const [chosen, ...args] = process.argv.slice(2);
const known = chosen !== undefined && chosen in parts;
const names = known ? [chosen] : Object.keys(parts);
// What is no part's name is an option of the soak, as `--quick`.
const soakOptions = known || chosen === undefined ? args : [chosen, ...args];

for (const name of names) {
  const command = [...(parts[name] ?? []), ...(name === 'soak' ? soakOptions : [])];
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ...command], { stdio: 'inherit' });
  const code = await new Promise<number>((resolve) => child.once('exit', (status) => resolve(status ?? 1)));
  process.exitCode = Math.max(code, Number(process.exitCode ?? 0));
}
