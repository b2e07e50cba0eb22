/** Builds the programs that run the kernels natively, and runs them, directly or under qemu-x86_64. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import type { KernelResult, ProgramRun } from './kernel-run.ts';
import { moduleFile, type RealKernel } from './real-kernels.ts';

const HERE = import.meta.dirname;

function build(command: string, args: readonly string[]): void {
  const { status, stderr, error } = spawnSync(command, args, { cwd: HERE, encoding: 'utf8' });
  if (error !== undefined)
    throw new Error(`Cannot run ${command}; install gcc, libc6-dev and binutils (${error.message})`);
  if (status !== 0) throw new Error(`${command} failed; is libc6-dev installed?\n${stderr}`);
}

/** The program with all synthetic kernels, in `directory`; how to run one of them. */
export function buildSynthetic(directory: string): (kernel: string) => ProgramRun {
  const program = join(directory, 'synthetic');
  build('gcc', [
    ...'-O2 -mno-red-zone -fno-pic -no-pie -fno-stack-protector -fcf-protection=none -static -o'.split(' '),
    program,
    'kern.c',
    'main.c',
  ]);
  return (kernel) => (emulator, size, times) =>
    runProgram([...emulator, program, kernel, String(size), String(times)]);
}

/** The program with the kernel's module linked into it. */
export function buildReal(directory: string, kernel: RealKernel): ProgramRun {
  const program = join(directory, kernel.name);
  const object = `${program}.o`;
  // A section's ends have symbols when its name is one of C.
  build('objcopy', ['--rename-section', '.return_sites=return_sites', moduleFile(kernel), object]);
  build('gcc', [
    ...`-O2 -w -DKERNEL_${kernel.name} -fno-pic -no-pie -fcf-protection=none -static -o`.split(' '),
    program,
    'real.c',
    object,
  ]);
  return (emulator, size, times) => runProgram([...emulator, program, String(size), String(times)]);
}

function runProgram(command: readonly string[]): KernelResult {
  const { stdout, status, error } = spawnSync(command[0]!, command.slice(1), { encoding: 'utf8' });
  if (status !== 0)
    throw new Error(`${command.join(' ')} failed${error === undefined ? '' : `: ${error.message}`}`);
  const [ns, result] = stdout.trim().split('\n');
  return { result: BigInt(result!), ns: Math.min(...ns!.trim().split(' ').map(Number)) };
}

/** features.c with features.S; the program's path. */
export function buildFeatures(directory: string): string {
  const program = join(directory, 'features');
  build('gcc', [...'-O2 -fno-pic -no-pie -static -o'.split(' '), program, 'features.c', 'features.S']);
  return program;
}
