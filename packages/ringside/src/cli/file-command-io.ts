import { readFile, stat } from 'node:fs/promises';
import { release } from 'node:os';
import type { FileCommandIo } from './modinfo-io.ts';

/** The process's own files and streams. */
export function fileCommandIo(): FileCommandIo {
  return {
    stdout: (data) => process.stdout.write(data),
    stderr: (data) => process.stderr.write(data),
    readFile: (path) => readFile(path),
    isFile: async (path) =>
      await stat(path).then(
        (found) => found.isFile(),
        () => false,
      ),
    cwd: process.cwd(),
    kernelRelease: release(),
  };
}
