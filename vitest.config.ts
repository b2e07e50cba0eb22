import { defineConfig } from 'vitest/config';

const everywhere = (pattern: string) => [
  `packages/*/src/**/${pattern}`,
  `conformance/**/${pattern}`,
  `scripts/**/${pattern}`,
  `bench/**/${pattern}`,
];

export default defineConfig({
  test: {
    pool: 'forks',
    reporters: ['default', './scripts/closing-line.ts'],
    projects: [
      {
        // Needs nothing but Node. The limits only end a hang: a busy machine is no failure.
        test: {
          name: 'fast',
          include: everywhere('*.test.ts'),
          exclude: ['**/node_modules/**', '**/*.system.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        // Needs Debian packages, QEMU or the built command (see CONTRIBUTING.md). One file at a time, since most
        // of them drive a whole machine.
        test: {
          name: 'system',
          include: everywhere('*.system.test.ts'),
          fileParallelism: false,
          testTimeout: 900_000,
          hookTimeout: 900_000,
        },
      },
    ],
  },
});
