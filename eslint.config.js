import js from '@eslint/js';
import tseslint from 'typescript-eslint';

/**
 * The rooms, top to bottom (ARCHITECTURE.md has the picture). A room may import what stands below it in its list,
 * and the leaves; whatever is not in its list is above it, and imports point down only.
 */
const leaves = ['caller', 'fault', 'log', 'time', 'config'];
const rooms = {
  cli: [
    'access',
    'app',
    'storage',
    'database',
    'demo',
    'client',
    'doctor',
    'transfer',
    'history',
    'scope-state',
  ],
  access: ['collection-unit', 'database'],
  doctor: ['access', 'database'],
  demo: ['client', 'database', 'collection-unit'],
  history: ['scope-state', 'collection-unit', 'relay', 'database'],
  live: ['history', 'scope-state', 'collection-unit', 'relay', 'database'],
  transfer: ['scope-state', 'collection-unit', 'database'],
  api: [],
  'scope-state': ['collection-unit', 'database', 'relay'],
  'collection-unit': [],
  database: [],
  relay: [],
  caller: [],
  client: [],
  time: ['fault'],
};
const allRooms = [...Object.keys(rooms), 'app', 'resolvers', 'storage', 'main', ...leaves];

/** Modules outside a room's list, as import patterns seen from a file in that room's folder. */
function forbiddenImports(room, allowed) {
  return allRooms
    .filter((other) => other !== room && !allowed.includes(other) && !leaves.includes(other))
    .flatMap((other) => [`../${other}/*`, `../${other}.js`, `../../${other}/*`, `../../${other}.js`]);
}

const noEnvironment = {
  selector: "MemberExpression[object.name='process'][property.name='env']",
  message:
    'Only config.ts reads the environment: every setting is then in one schema, and every fault in one list.',
};

/** Role suffix -> what a file of that role may not import. */
const roles = {
  rules: [
    { regex: '^[^.]', message: 'Rules are pure decisions: no packages.' },
    {
      regex: '\\.(graphql|resolver|service|repository|entity)\\.js$',
      message: 'Rules are pure decisions: they import other rules and leaves.',
    },
  ],
  service: [
    { regex: '^[^.]', message: 'Services are use cases: no packages.' },
    { regex: '\\.(graphql|resolver)\\.js$', message: 'Services do not know the API.' },
  ],
  repository: [
    { regex: '^(?!@mikro-orm/)[^.]', message: 'A repository is SQL: no package but @mikro-orm/*.' },
    {
      regex: '\\.(graphql|resolver|service)\\.js$',
      message: 'A repository does not know what stands above it.',
    },
  ],
  graphql: [
    { regex: '^(?!type-graphql$)[^.]', message: 'A GraphQL type needs no package but type-graphql.' },
    { regex: '\\.(repository|entity|sql)\\.js$', message: 'The API does not know the table.' },
  ],
  resolver: [
    { regex: '^(?!type-graphql$)[^.]', message: 'A resolver needs no package but type-graphql.' },
    { regex: '\\.(repository|entity|sql)\\.js$', message: 'A resolver asks its service.' },
  ],
  sql: [
    { regex: '^[^.]', message: 'Text of statements: no packages.' },
    {
      regex: '\\.(graphql|resolver|service|repository)\\.js$',
      message: 'Text of statements does not know what stands above it.',
    },
  ],
  entity: [
    { regex: '^(?!@mikro-orm/)[^.]', message: 'An entity is a table: no package but @mikro-orm/*.' },
    {
      regex: '\\.(graphql|resolver|service|repository)\\.js$',
      message: 'An entity does not know what stands above it.',
    },
  ],
};

const standsAlone = {
  regex: '^(?!node:|\\./)',
  message: 'The client runs in programs of others: it imports its own files and Node, not even the leaves.',
};

function restrictImports(room, allowed) {
  const down = {
    group: forbiddenImports(room, allowed),
    message: `Imports point down only: ${room}/ may import ${[...allowed, ...leaves].join(', ')}.`,
  };
  const rule = (files, patterns) => ({
    files,
    rules: { '@typescript-eslint/no-restricted-imports': ['error', { patterns }] },
  });
  return [
    rule([`src/${room}/**/*.ts`], [down]),
    ...Object.entries(roles).map(([role, patterns]) =>
      rule([`src/${room}/**/*.${role}.ts`], [down, ...patterns]),
    ),
  ];
}

export default tseslint.config(
  { ignores: ['dist/', 'dist.building/', 'node_modules/', '.scopestate/', '.scopestate-demo/', 'coverage/'] },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/consistent-type-imports': 'off', // decorators' metadata needs the value imports
      '@typescript-eslint/only-throw-error': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
    },
  },
  {
    // An answer of the API is whatever it is: the test says what it has to be.
    files: ['test/**/*.ts'],
    rules: Object.fromEntries(
      [
        'no-explicit-any',
        'no-unsafe-assignment',
        'no-unsafe-return',
        'no-unsafe-member-access',
        'no-unsafe-argument',
      ].map((rule) => [`@typescript-eslint/${rule}`, 'off']),
    ),
  },
  {
    files: ['**/*.js'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        URL: 'readonly',
        fetch: 'readonly',
        performance: 'readonly',
      },
    },
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['src/config.ts'],
    rules: { 'no-restricted-syntax': ['error', noEnvironment] },
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['src/client/schema-types.ts'], // made from the schema
    rules: { 'max-lines': ['error', { max: 300 }] },
  },
  ...Object.entries(rooms).flatMap(([room, allowed]) => restrictImports(room, allowed)),
  {
    files: ['src/client/**/*.ts'],
    rules: { '@typescript-eslint/no-restricted-imports': ['error', { patterns: [standsAlone] }] },
  },
);
