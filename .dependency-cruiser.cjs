// The import directions of docs/architecture.md, held by `npm run imports`.
const folders = [
  'proto',
  'revocation',
  'event-log',
  'token',
  'runtime',
  'revoker',
  'adapter',
  'enforcer',
  'cli',
]
const allowed = {
  revocation: [],
  proto: [],
  runtime: ['revocation', 'proto'],
  token: ['revocation'],
  'event-log': ['revocation', 'runtime'],
  revoker: ['revocation', 'event-log', 'token', 'runtime', 'proto'],
  adapter: ['revocation', 'event-log', 'runtime', 'proto'],
  enforcer: ['revocation', 'token', 'runtime', 'proto'],
  cli: folders,
}

const oneWay = Object.entries(allowed).map(([from, to]) => ({
  name: `${from}-imports-one-way`,
  comment: `${from}/ may import only: ${to.join(', ') || 'nothing of this project'}`,
  severity: 'error',
  from: { path: `^${from}/` },
  to: {
    path: `^(${folders.filter(folder => folder !== from && !to.includes(folder)).join('|')}|test|bench|demo)/`,
  },
}))

module.exports = {
  forbidden: [
    ...oneWay.filter(rule => !rule.to.path.startsWith('^()')),
    { name: 'no-cycles', severity: 'error', from: { pathNot: '^proto/generated' }, to: { circular: true } },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'no-dev-dependency-in-product',
      severity: 'error',
      from: { path: `^(${folders.join('|')})/` },
      to: { dependencyTypes: ['npm-dev'] },
    },
    {
      name: 'protocol-logic-and-domain-do-no-io',
      comment: 'revocation/ is pure: of node, only hashing',
      severity: 'error',
      from: { path: '^revocation/' },
      to: { dependencyTypes: ['core'], pathNot: '^(node:)?(crypto|buffer)$' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'types'] },
  },
}
