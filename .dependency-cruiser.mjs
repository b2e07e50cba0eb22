// The layers of packages/ringside/src: a layer imports only from rows above its own, and only through the other
// layer's door, its index.ts. `npm run check layers` holds this; ARCHITECTURE.md explains it.
const ROWS = [
  ['bytes'],
  ['abi'],
  ['elf'],
  ['btf', 'dwarf', 'signature', 'archive', 'compression'],
  ['ko'],
  ['image'],
  ['memory'],
  ['x86', 'wasm'],
  ['translate'],
  ['kernel'],
  ['machine'],
  ['node', 'browser'],
  ['cli'],
];
const SRC = '^packages/ringside/src/';
const TEST = '[.](test|fixture)[.]ts$|/testing/';
const within = (layers) => `${SRC}(${layers.join('|')})/`;

const upwardsOnly = ROWS.flatMap((row, index) =>
  row.map((layer) => ({
    name: `layer-${layer}`,
    comment: `${layer}/ may import only from the layers above it: ${ROWS.slice(0, index).flat().join(', ') || 'none'}.`,
    severity: 'error',
    from: { path: within([layer]), pathNot: TEST },
    to: { path: within([...row.filter((other) => other !== layer), ...ROWS.slice(index + 1).flat()]) },
  })),
);

export default {
  forbidden: [
    ...upwardsOnly,
    {
      name: 'known-layers',
      comment: 'Every folder of src/ is a layer; add a new one to ROWS in .dependency-cruiser.mjs.',
      severity: 'error',
      from: { path: `${SRC}[^/]+/`, pathNot: within(ROWS.flat()) },
      to: {},
    },
    {
      name: 'doors',
      comment: 'Another layer is imported only through its index.ts; export there what others need.',
      severity: 'error',
      from: { path: `${SRC}([^/]+)/` },
      to: { path: `${SRC}([^/]+)/`, pathNot: [`${SRC}$1/`, `${SRC}[^/]+/index[.]ts$`, '[.]fixture[.]ts$'] },
    },
    {
      name: 'doors-from-outside',
      comment: 'Scripts and the conformance harness use the doors too; benches may measure parts.',
      severity: 'error',
      from: { path: '^(scripts|conformance)/', pathNot: TEST },
      to: {
        path: `${SRC}[^/]+/.+`,
        pathNot: [`${SRC}[^/]+/index[.]ts$`, `${SRC}kernel/export-tables[.]ts$`],
      },
    },
    {
      name: 'no-platform-below-node',
      comment: 'Only node/ and cli/ may use Node; below, what is platform-specific is passed in.',
      severity: 'error',
      from: { path: SRC, pathNot: [within(['node', 'cli']), TEST] },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'no-cycles',
      comment:
        'Folders that need each other at run time belong together or need a third. Types may go round, and so may functions of one folder that recurse.',
      severity: 'error',
      from: { path: `(packages/ringside/src/.+)/[^/]+$` },
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] }, via: { pathNot: '^$1/' } },
    },
    {
      name: 'resolvable',
      comment: 'The import leads nowhere.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'no-dev-dependencies-in-the-product',
      comment: 'What the package runs with stands in its "dependencies".',
      severity: 'error',
      from: { path: SRC, pathNot: TEST },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg'], dependencyTypesNot: ['type-only'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '/dist/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
