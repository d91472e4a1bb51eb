/** The npm package: built, installed in an empty folder, and used. */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { freePort } from '../../bench/free-port.ts';
import { packageFolder } from '../../src/role/package-folder.ts';
import { eventually } from './functions.ts';

test('npm pack, install, up, deploy, call', { timeout: 180_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'swiftlet-package-'));
  const run = (command: string, args: string[], environment = {}) =>
    execFileSync(command, args, {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  try {
    // A copy, so that the build does not write into the checkout.
    const source = join(folder, 'source');
    cpSync(packageFolder, source, {
      recursive: true,
      filter: (path) => !/\/(node_modules|\.git|dist)(\/|$)/.test(path.slice(packageFolder.length)),
    });
    symlinkSync(join(packageFolder, 'node_modules'), join(source, 'node_modules'));
    execFileSync('npm', ['pack', '--pack-destination', folder], { cwd: source, stdio: 'ignore' });
    run('npm', ['init', '-y']);
    run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', `./swiftlet-${version()}.tgz`]);
    assert.ok(!existsSync(join(folder, 'node_modules', 'swiftlet', 'src')), 'the package has TypeScript in it');
    assert.equal(run('npx', ['swiftlet', '--version']).trim(), version());
    const [gatewayPort, apiPort] = [await freePort(), await freePort()];
    const environment = {
      SWIFTLET_HOME: join(folder, 'home'),
      SWIFTLET_GATEWAY_PORT: String(gatewayPort),
      SWIFTLET_API_PORT: String(apiPort),
      SWIFTLET_LAMBDA_PORT: 'off',
      SWIFTLET_POOL_SIZE: '1',
    };
    const platform = spawn(join(folder, 'node_modules', '.bin', 'swiftlet'), ['up'], {
      cwd: folder,
      env: { ...process.env, ...environment },
      stdio: 'ignore',
    });
    const gone = once(platform, 'exit');
    try {
      await eventually(
        () =>
          fetch(`http://127.0.0.1:${apiPort}/healthz`).then(
            (r) => r.ok,
            () => false,
          ),
        Boolean,
        30_000,
      );
      run('npx', ['swiftlet', 'init', 'hello'], environment);
      run('npx', ['swiftlet', 'deploy', 'hello'], environment);
      assert.equal((await fetch(`http://127.0.0.1:${gatewayPort}/hello/?name=package`)).status, 200);
    } finally {
      platform.kill('SIGTERM');
      await gone;
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('the command starts on an older Node.js and hands over to its own', () => {
  const older = createRequire(import.meta.url).resolve(`nodejs22-linux-${process.arch}/package.json`);
  const node = join(dirname(older), 'bin', 'node');
  assert.match(execFileSync(node, ['--version'], { encoding: 'utf8' }), /^v22\./);
  const shown = execFileSync(node, [join(packageFolder, 'bin', 'swiftlet.js'), '--version'], { encoding: 'utf8' });
  assert.equal(shown.trim(), version());
});

const version = (): string => (JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8')) as { version: string }).version;

test('the Dockerfile copies what there is', () => {
  const copied = [...readFileSync(join(packageFolder, 'Dockerfile'), 'utf8').matchAll(/^COPY (.+) \S+$/gm)].flatMap(([, paths = '']) =>
    paths.split(' '),
  );
  assert.ok(copied.length > 4);
  assert.deepEqual(
    copied.filter((path) => !existsSync(join(packageFolder, path))),
    [],
  );
});

test('the systemd unit is valid', { skip: existsSync('/usr/bin/systemd-analyze') ? false : 'systemd-analyze is not installed' }, () => {
  execFileSync('systemd-analyze', ['verify', join(packageFolder, 'packaging', 'swiftlet.service')], { stdio: ['ignore', 'pipe', 'pipe'] });
});
