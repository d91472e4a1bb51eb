/** A Go that is new enough: the machine's, or else the one that its own module proxy has. Debian 12 brings 1.19. */
import { execFile } from 'node:child_process';
import { chmodSync, cpSync, existsSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
/** From 1.23 on. */
const newEnough = /go version go1\.(?:2[3-9]|[3-9]\d|\d{3,})/;
const fetched = 'v0.0.1-go1.23.12';
const limitMs = 200_000;

export interface GoCommand {
  readonly path: string;
  readonly environment: Readonly<Record<string, string>>;
}

/**
 * @param cacheFolder where a fetched one is kept
 * @throws Error when there is no Go at all, or it cannot fetch another
 */
export async function findGo(cacheFolder: string): Promise<GoCommand> {
  const { stdout } = await run('go', ['version'], { env: { ...process.env, GOTOOLCHAIN: 'local' } });
  if (newEnough.test(stdout)) return { path: 'go', environment: { GOTOOLCHAIN: 'local' } };
  const root = join(cacheFolder, `go-${fetched}`);
  if (!existsSync(root)) await fetchGo(root);
  return { path: join(root, 'bin', 'go'), environment: { GOTOOLCHAIN: 'local', GOROOT: root } };
}

/** As Go itself does from 1.21 on: the toolchain is a module like any other, whose sum is checked. */
async function fetchGo(root: string): Promise<void> {
  const module = `golang.org/toolchain@${fetched}.linux-${process.arch === 'x64' ? 'amd64' : process.arch}`;
  const { stdout } = await run('go', ['mod', 'download', '-json', module], { timeout: limitMs });
  const { Dir: folder } = JSON.parse(stdout) as { Dir: string };
  const made = `${root}.${process.pid}`;
  cpSync(folder, made, { recursive: true, mode: 0 });
  makeUsable(made);
  // Another one may have fetched it meanwhile.
  if (existsSync(root)) rmSync(made, { recursive: true });
  else renameSync(made, root);
}

/** A module has no programs, may not be written to, and has no modules in it: those of a toolchain have another name there. */
function makeUsable(root: string): void {
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const isProgram = /\/(bin|pkg\/tool\/[^/]+)$/.test(entry.parentPath);
    chmodSync(path, entry.isDirectory() || isProgram ? 0o755 : 0o644);
    if (entry.name === '_go.mod') renameSync(path, join(entry.parentPath, 'go.mod'));
  }
}
