export default {
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  transform: {
    '\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          target: 'es2024',
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: false },
        },
      },
    ],
  },
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  setupFilesAfterEnv: ['<rootDir>/test/support/instants-are-equal.js'],
  globalSetup: '<rootDir>/test/support/start-servers.js',
  globalTeardown: '<rootDir>/test/support/stop-servers.js',
  reporters: ['default', '<rootDir>/test/support/closing-line-reporter.js'],
  testEnvironment: '<rootDir>/test/support/failure-environment.js',
  maxWorkers: 3, // on two cores: many tests wait for a clock, a lock or a process
  testTimeout: 60_000,
};
