// What `npm start`, `npm test` and their like run first, on whatever Node.js (18 or later) the machine has: it installs what is
// missing and then runs the real thing on the Node.js 26 that was installed.
'use strict';
const { spawn, spawnSync } = require('node:child_process');
const { createHash } = require('node:crypto');
const { accessSync, constants, existsSync, readFileSync, writeFileSync } = require('node:fs');
const { delimiter, join } = require('node:path');
const systemPackages = require('./system-packages.json');

const root = join(__dirname, '..');
const node = join(root, 'node_modules', `node-linux-${process.arch}`, 'bin', 'node');
const stamp = join(root, 'node_modules', '.swiftlet-installed');

/** Each task: what of the system it needs, and what Node.js 26 then runs. */
const tasks = {
  start: { needs: 'start', run: (args) => ['src/cli/main.ts', 'up', '--deploy-examples', ...args] },
  cli: { needs: 'start', run: (args) => ['src/cli/main.ts', ...args] },
  test: { needs: 'test', run: (args) => ['scripts/test.ts', ...args] },
  bench: { needs: 'bench', run: (args) => ['bench/main.ts', ...args] },
  torture: { needs: 'bench', run: (args) => ['scripts/torture.ts', ...args] },
};

function lockDigest() {
  return createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
}

function installModules() {
  if (existsSync(node) && existsSync(stamp) && readFileSync(stamp, 'utf8') === lockDigest()) return;
  console.error('Installing Swiftlet’s packages (once) …');
  // Nothing needs an install script: Node.js itself and all native parts come prebuilt.
  const { status } = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  });
  if (status !== 0 || !existsSync(node)) stop('npm could not install the packages; see above, then try again.');
  writeFileSync(stamp, lockDigest());
}

function isInstalled(command) {
  return [...(process.env.PATH || '').split(delimiter), '/usr/bin', '/usr/sbin', '/usr/local/bin'].some((folder) => {
    try {
      accessSync(join(folder, command), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function installSystemPackages(needs) {
  const missing = Object.entries(systemPackages[needs])
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
    spawnSync('sh', ['-c', command], { stdio: ['ignore', 'ignore', 2], env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } })
      .status === 0;
  if (install()) return;
  spawnSync('apt-get', ['update'], { stdio: ['ignore', 'ignore', 2] });
  if (!install()) console.error(`Could not install ${missing.join(', ')}; run:  apt-get update && ${command}`);
}

function stop(message) {
  console.error(message);
  process.exit(1);
}

const [name = '', ...args] = process.argv.slice(2);
const task = tasks[name];
if (process.platform !== 'linux') stop('Swiftlet runs on Linux.');
if (task === undefined) stop(`usage: node scripts/bootstrap.cjs ${Object.keys(tasks).join('|')} [arguments]`);
installModules();
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
