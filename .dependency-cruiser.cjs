/** Imports go downwards only: model and wire at the bottom, cli at the top. */
const rooms = {
  model: [],
  wire: ['model'],
  role: ['model', 'wire'],
  lambda: ['model', 'wire'],
  relay: ['model', 'wire', 'role'],
  build: ['model'],
  scaling: ['model'],
  gateway: ['model', 'wire', 'role', 'lambda'],
  events: ['model', 'wire', 'role'],
  agent: ['model', 'wire', 'role', 'build'],
  control: ['model', 'wire', 'role', 'build', 'lambda', 'scaling'],
  simulate: ['model', 'scaling', 'gateway', 'agent'],
  proxy: ['model', 'wire', 'role', 'agent'],
};

module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } } },
    { name: 'no-orphans', severity: 'error', from: { orphan: true, path: '^src/', pathNot: '(main|launcher-process)\\.ts$' }, to: {} },
    { name: 'runtimes-stand-alone', severity: 'error', from: { path: '^runtimes/' }, to: { path: '^(src|node_modules/(?!(@types/)?ws/))' } },
    ...Object.entries(rooms).map(([room, below]) => ({
      name: `${room}-imports-downwards`,
      severity: 'error',
      from: { path: `^src/${room}/` },
      to: { path: '^src/', pathNot: `^src/(${[room, ...below].join('|')})/` },
    })),
  ],
  options: { tsPreCompilationDeps: true, doNotFollow: { path: 'node_modules' }, tsConfig: { fileName: 'tsconfig.json' }, enhancedResolveOptions: { extensions: ['.ts', '.js', '.mjs', '.cjs'] } },
};
