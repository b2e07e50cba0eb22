import { writeSync } from 'node:fs';
import type { Reporter, SerializedError, TestModule } from 'vitest/node';

const FAILED_STEPS = Number(process.env['RINGSIDE_FAILED_STEPS'] ?? 0);

/**
 * Ends the output of a test run with `N passed, N failed, N skipped`, alone on the last line, for scripts to read.
 * RINGSIDE_FAILED_STEPS: steps that failed outside of the test runner (.ci/run) and count as failures too.
 */
export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    const line = closingLine(modules, unhandledErrors.length);
    // Other reporters print their summaries at the end of the run too.
    process.once('exit', () => writeSync(1, `${line}\n`));
  }
}

function closingLine(modules: readonly TestModule[], unhandledErrors: number): string {
  const count = { passed: 0, failed: unhandledErrors + FAILED_STEPS, skipped: 0 };
  for (const module of modules) {
    let failedTests = 0;
    for (const test of module.children.allTests()) {
      const { state } = test.result();
      if (state === 'pending') count.skipped++;
      else count[state]++;
      if (state === 'failed') failedTests++;
    }
    // A file that could not be collected, or whose hooks failed, has no failed test to show for it.
    if (module.state() === 'failed' && failedTests === 0) count.failed++;
  }
  return `${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`;
}
