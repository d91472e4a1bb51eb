/** Imports go downwards only: model and wire at the bottom, cli at the top. */
const rooms = {
  model: [],
  wire: ['model'],
  role: ['model', 'wire'],
  relay: ['model', 'wire', 'role'],
  build: ['model'],
  gateway: ['model', 'wire', 'role'],
  events: ['model', 'wire', 'role'],
  agent: ['model', 'wire', 'role', 'build'],
  control: ['model', 'wire', 'role', 'build'],
};

module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } } },
    { name: 'no-orphans', severity: 'error', from: { orphan: true, path: '^src/', pathNot: '(main|launcher-process)\\.ts$' }, to: {} },
    { name: 'runtimes-stand-alone', severity: 'error', from: { path: '^runtimes/' }, to: { path: '^(src|node_modules)/' } },
    ...Object.entries(rooms).map(([room, below]) => ({
      name: `${room}-imports-downwards`,
      severity: 'error',
      from: { path: `^src/${room}/` },
      to: { path: '^src/', pathNot: `^src/(${[room, ...below].join('|')})/` },
    })),
  ],
  options: { tsPreCompilationDeps: true, doNotFollow: { path: 'node_modules' }, tsConfig: { fileName: 'tsconfig.json' }, enhancedResolveOptions: { extensions: ['.ts', '.js', '.mjs', '.cjs'] } },
};
