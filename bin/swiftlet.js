#!/usr/bin/env node
// Runs on any Node.js from 18; hands over to the Node.js 26 that was installed with this package.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const packaged = join(root, 'dist', 'cli', 'main.js');
const main = existsSync(packaged) ? packaged : join(root, 'src', 'cli', 'main.ts');

function findNode() {
  try {
    return join(dirname(createRequire(import.meta.url).resolve(`node-linux-${process.arch}/package.json`)), 'bin', 'node');
  } catch {
    console.error(`Swiftlet needs Linux on x64 or arm64, and its optional dependencies: npm install --include=optional (this is ${process.platform} on ${process.arch})`);
    process.exit(1);
  }
}

const command = [findNode(), '--disable-warning=ExperimentalWarning', main, ...process.argv.slice(2)];
if (typeof process.execve === 'function') process.execve(command[0], command, process.env);
const child = spawn(command[0], command.slice(1), { stdio: 'inherit' });
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
process.on('SIGINT', () => {});
child.once('exit', (code) => process.exit(code ?? 1));
