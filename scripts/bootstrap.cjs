// What `npm start`, `npm test` and their like run first, on whatever Node.js (18 or later) the machine has: it installs what is
// missing and then runs the real thing on the Node.js 26 that was installed.
'use strict';
const { spawn, spawnSync } = require('node:child_process');
const { createHash } = require('node:crypto');
const { accessSync, constants, existsSync, readFileSync, rmSync, writeFileSync } = require('node:fs');
const { delimiter, join, resolve } = require('node:path');
const systemPackages = require('./system-packages.json');

const root = join(__dirname, '..');
const node = join(root, 'node_modules', `node-linux-${process.arch}`, 'bin', 'node');
const servicePolicy = '/usr/sbin/policy-rc.d';
const stamp = join(root, 'node_modules', '.swiftlet-installed');

/** Each task: what of the system it needs, what Node.js 26 then runs, and whether that does without what only developing needs. */
const tasks = {
  start: { needs: ['start'], production: true, run: (args) => ['src/cli/main.ts', 'up', '--deploy-examples', ...args] },
  cli: { needs: ['start'], production: true, run: (args) => ['src/cli/main.ts', ...args] },
  // All packages of npm, for linters and the like.
  install: { needs: [], run: () => ['--version'] },
  // All that tests need, ahead of them.
  'prepare-tests': { needs: ['test'], run: () => ['scripts/prepare-tests.ts'] },
  test: { needs: ['test'], run: (args) => ['scripts/test.ts', ...args] },
  bench: { needs: ['bench'], run: (args) => ['bench/main.ts', ...args] },
  // Its sources need the brokers.
  torture: { needs: ['bench', 'test'], run: (args) => ['scripts/torture.ts', ...args] },
};

function lockDigest() {
  return createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
}

/** What the stamp says of an installation: the lockfile, and whether it is all of it. */
const stampOf = (production) => `${lockDigest()}${production ? ' production' : ''}`;

/** @param production whether what only developing needs may be missing; where it is there already, it stays */
function installModules(production) {
  const there = existsSync(node) && existsSync(stamp) ? readFileSync(stamp, 'utf8') : '';
  if (there === stampOf(false) || (production && there === stampOf(true))) return;
  console.error('Installing Swiftlet’s packages (once) …');
  // Nothing needs an install script: Node.js itself and all native parts come prebuilt.
  const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', ...(production ? ['--omit=dev'] : [])];
  // What is missing only: an installation of this lockfile is completed, any other one replaced.
  const command = there === stampOf(true) ? ['install', '--no-save'] : ['ci'];
  const { status } = spawnSync('npm', [...command, ...options], { cwd: root, stdio: ['ignore', 2, 2] });
  if (status !== 0 || !existsSync(node)) stop('npm could not install the packages; see above, then try again.');
  writeFileSync(stamp, stampOf(production));
}

function isInstalled(command) {
  return [...(process.env.PATH || '').split(delimiter), '/usr/bin', '/usr/sbin', '/usr/local/bin'].some((folder) => {
    try {
      accessSync(resolve(folder, command), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function installSystemPackages(needs) {
  const missing = Object.entries(Object.assign({}, ...needs.map((need) => systemPackages[need])))
    .filter(([command]) => !isInstalled(command))
    .map(([, name]) => name);
  if (missing.length === 0) return;
  const command = `apt-get install -y --no-install-recommends ${missing.join(' ')}`;
  if (process.getuid() !== 0 || !isInstalled('apt-get')) {
    console.error(`Missing on this machine: ${missing.join(', ')}. As root, run:  ${command}`);
    return;
  }
  console.error(`Installing ${missing.join(', ')} …`);
  const install = () =>
    withoutServices(
      () =>
        spawnSync('sh', ['-c', command], { stdio: ['ignore', 'ignore', 2], env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } })
          .status === 0,
    );
  if (install()) return;
  spawnSync('apt-get', ['update'], { stdio: ['ignore', 'ignore', 2] });
  if (!install()) console.error(`Could not install ${missing.join(', ')}; run:  apt-get update && ${command}`);
}

/** Debian starts the service of what it installs, unless the machine's policy forbids it: tests start brokers of their own. */
function withoutServices(install) {
  if (existsSync(servicePolicy)) return install();
  writeFileSync(servicePolicy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    return install();
  } finally {
    rmSync(servicePolicy);
  }
}

function stop(message) {
  console.error(message);
  process.exit(1);
}

const [name = '', ...args] = process.argv.slice(2);
const task = tasks[name];
if (process.platform !== 'linux') stop('Swiftlet runs on Linux.');
if (task === undefined) stop(`usage: node scripts/bootstrap.cjs ${Object.keys(tasks).join('|')} [arguments]`);
installModules(task.production === true);
installSystemPackages(task.needs);
const child = spawn(node, ['--disable-warning=ExperimentalWarning', ...task.run(args)], {
  cwd: root,
  stdio: 'inherit',
  env: {
    ...process.env,
    PATH: `${join(root, 'node_modules', `node-linux-${process.arch}`, 'bin')}${delimiter}${join(root, 'node_modules', '.bin')}${delimiter}${process.env.PATH}`,
  },
});
// Ctrl-C reaches the child by itself; what is sent to this process alone is passed on.
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
process.on('SIGINT', () => {});
child.once('exit', (code, signal) => process.exit(signal === null ? code : 1));
