/**
 * How fast the built command starts: `ringside run hello.ko`, cold, against `node -e 0` in the same run.
 *
 *     npx tsx bench/startup.ts [--json] [--smoke] [--qemu]
 *
 * --smoke  few rounds, to see that it works     --qemu  also QEMU's boot to the same module's log (Debian, root)
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const PACKAGE = join(ROOT, 'packages/ringside');
const HELLO = join(ROOT, 'modules/hello/hello.ko');

interface Timing {
  readonly name: string;
  readonly medianMs: number;
  readonly fastestMs: number;
}

const COMMANDS: Readonly<Record<string, readonly string[]>> = {
  'node -e 0': ['-e', '0'],
  'ringside --version': [join(PACKAGE, 'bin/ringside.cjs'), '--version'],
  'ringside run hello.ko': [join(PACKAGE, 'bin/ringside.cjs'), 'run', HELLO],
};

/** Round by round, one of each, so that a machine that slows down slows all of them. */
function timeCommands(rounds: number): Timing[] {
  const times = new Map<string, number[]>(Object.keys(COMMANDS).map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const [name, args] of Object.entries(COMMANDS)) {
      const start = performance.now();
      const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
      times.get(name)!.push(performance.now() - start);
      if (status !== 0) throw new Error(`${name} ended with ${status}: ${stderr}`);
    }
  }
  return [...times].map(([name, all]) => {
    const sorted = all.sort((a, b) => a - b);
    return { name, medianMs: sorted[Math.floor(sorted.length / 2)]!, fastestMs: sorted[0]! };
  });
}

/** From the start of QEMU to the module's transcript, on Debian's kernel. */
function timeQemu(): number {
  const scratch = mkdtempSync(join(tmpdir(), 'ringside-bench-'));
  try {
    const files = join(scratch, 'files');
    mkdirSync(files);
    copyFileSync(HELLO, join(files, 'hello.ko'));
    writeFileSync(join(scratch, 'steps'), 'insmod /mods/hello.ko\nrmmod hello\n');
    const oracle = join(ROOT, 'conformance/oracle/real-kernel.sh');
    const start = performance.now();
    execFileSync(oracle, [files, join(scratch, 'steps')], { stdio: ['ignore', 'ignore', 'inherit'] });
    return performance.now() - start;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** What npm would publish and what it unpacks to. */
function packageSize(): { readonly packedKib: number; readonly unpackedKib: number } {
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const text = execFileSync(npm, ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: PACKAGE,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    shell: process.platform === 'win32',
  });
  const parsed: unknown = JSON.parse(text);
  // npm 12 names the packages, earlier ones list them.
  const [packed] = Object.values(parsed as Record<string, { size: number; unpackedSize: number }>);
  return { packedKib: Math.round(packed!.size / 1024), unpackedKib: Math.round(packed!.unpackedSize / 1024) };
}

if (!existsSync(join(PACKAGE, 'dist/command.cjs'))) {
  process.stderr.write('bench/startup: the command is not built; run "npm run build"\n');
  process.exit(1);
}
const options = new Set(process.argv.slice(2));
const timings = timeCommands(options.has('--smoke') ? 3 : 21);
const nodeMs = timings[0]!.medianMs;
const runMs = timings.at(-1)!.medianMs;
const qemuMs = options.has('--qemu') ? timeQemu() : undefined;
const result = {
  timings,
  runAgainstNode: runMs / nodeMs,
  ...(qemuMs === undefined ? {} : { qemuMs, qemuAgainstRun: qemuMs / runMs }),
  bundleKib: Math.round(statSync(join(PACKAGE, 'dist/command.cjs')).size / 1024),
  ...packageSize(),
};
if (options.has('--json')) process.stdout.write(`${JSON.stringify(result, undefined, 2)}\n`);
else {
  const ms = (value: number) => `${value.toFixed(1).padStart(9)} ms`;
  for (const { name, medianMs, fastestMs } of timings) {
    process.stdout.write(
      `${name.padEnd(24)}${ms(medianMs)}${ms(fastestMs)}  ${(medianMs / nodeMs).toFixed(2)}x\n`,
    );
  }
  process.stdout.write(`run against node -e 0: ${result.runAgainstNode.toFixed(2)}x (aim 4x, at most 6x)\n`);
  if (qemuMs !== undefined) {
    process.stdout.write(
      `QEMU, boot to log: ${ms(qemuMs)}, ${(qemuMs / runMs).toFixed(1)} times as long (at least 15)\n`,
    );
  }
  process.stdout.write(
    `bundle ${result.bundleKib} KiB, package ${result.packedKib} KiB, unpacked ${result.unpackedKib} KiB\n`,
  );
}
