// What kmod's insmod, rmmod and lsmod (version 30) print for what the system calls return.
// Source: kmod tools/insmod.c, tools/rmmod.c, tools/lsmod.c, observed; the error texts are glibc's.

import { strerror } from '../../packages/ringside/src/abi/index.ts';
import type { CaseFile } from './case.ts';
import type { CallEnd, Target } from './target.ts';

export interface Result {
  readonly output: string;
  readonly end: CallEnd;
}

// insmod has words of its own for what the kernel's module loader means by these
const INSMOD_TEXTS: Readonly<Record<number, string>> = {
  2: 'Unknown symbol in module',
  3: 'Module has wrong symbol version',
  8: 'Invalid module format',
  22: 'Invalid parameters',
};

export function errorText(errno: number): string {
  return strerror(errno);
}

const done = (output: string, value = 0): Result => ({ output, end: { kind: 'returned', value } });

export async function insmod(
  target: Target,
  files: readonly CaseFile[],
  args: readonly string[],
): Promise<Result> {
  // `--` ends insmod's own options and is no parameter
  const [path, ...parameters] = args.filter((arg, i) => arg !== '--' || args.indexOf('--') !== i);
  if (path === undefined) return done('insmod: ERROR: missing filename.\n', 1);
  const refused = (text: string): Result =>
    done(`insmod: ERROR: could not insert module ${path}: ${text}\n`, 1);
  const name = path.replace(/^\/mods\//, '');
  const file = files.find((f) => f.name === name);
  // what opening and reading the file gives, before the module loader sees anything
  if (path === '/mods') return refused(errorText(21));
  if (path === '/dev/null') return refused('Invalid parameters');
  if (file === undefined) {
    return done(`insmod: ERROR: could not load module ${path}: No such file or directory\n`, 1);
  }
  // kmod reads that much to tell a compressed module by its magic
  if (file.bytes.length < 6) return refused('Invalid parameters');
  const end = await target.insmod(file.bytes, parameters.join(' '));
  if (end.kind !== 'returned' || end.value >= 0) return { output: '', end };
  return refused(INSMOD_TEXTS[-end.value] ?? errorText(-end.value));
}

export async function rmmod(target: Target, args: readonly string[]): Promise<Result> {
  if (args.length === 0) return done('rmmod: ERROR: missing module name.\n', 1);
  let output = '';
  let status = 0;
  for (const arg of args) {
    const name = arg.replace(/^.*\//, '').replace(/\.ko$/, '').replaceAll('-', '_');
    const failed = (text: string): void => {
      output += `rmmod: ERROR: ${text}\n`;
      status = 1;
    };
    const row = (await target.modules()).find((m) => m.name === name);
    if (row === undefined) failed(`Module ${name} is not currently loaded`);
    else if (row.holders.length > 0)
      failed(`Module ${name} is in use by: ${kernfsOrder(row.holders).join(' ')}`);
    else if (row.referenceCount > 0) failed(`Module ${name} is in use`);
    else if (row.referenceCount < 0)
      status = 1; // being unloaded; rmmod says nothing about it
    else {
      const end = await target.rmmod(name);
      if (end.kind !== 'returned') return { output, end };
      if (end.value < 0) {
        const text = errorText(-end.value);
        failed(
          `../libkmod/libkmod-module.c:856 kmod_module_remove_module() could not remove '${name}': ${text}`,
        );
        failed(`could not remove module ${arg}: ${text}`);
      }
    }
  }
  return done(output, status);
}

/**
 * The order in which a directory of sysfs lists its entries: by a hash of their names.
 * Source: fs/kernfs/dir.c kernfs_name_hash(), include/linux/stringhash.h, include/linux/hash.h
 */
export function kernfsOrder(names: readonly string[]): string[] {
  const hashes = new Map(names.map((name) => [name, kernfsHash(name)]));
  return [...names].sort((a, b) => hashes.get(a)! - hashes.get(b)!);
}

function kernfsHash(name: string): number {
  let hash = 0n;
  for (const c of name) {
    const code = BigInt(c.charCodeAt(0));
    hash = BigInt.asUintN(64, (hash + (code << 4n) + (code >> 4n)) * 11n);
  }
  const golden = 0x61c8864680b583ebn;
  const folded = Number(BigInt.asUintN(64, hash * golden) >> 32n) & 0x7fff_ffff;
  if (folded < 2) return folded + 2;
  return folded >= 0x7fff_ffff ? 0x7fff_fffe : folded;
}

export async function lsmod(target: Target): Promise<Result> {
  const rows = (await target.modules()).map(({ name, coreSizeBytes, referenceCount, holders }) => {
    const uses = `${name.padEnd(19)} ${String(coreSizeBytes).padStart(8)}  ${referenceCount}`;
    return holders.length > 0 ? `${uses} ${kernfsOrder(holders).join(',')}` : uses;
  });
  return done(['Module                  Size  Used by', ...rows, ''].join('\n'));
}
