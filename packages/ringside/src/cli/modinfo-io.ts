/** What `modinfo` and `inspect` need of the world. */
export interface FileCommandIo {
  stdout(data: string | Uint8Array): void;
  stderr(data: string | Uint8Array): void;
  /** The file's bytes; rejects with an error that has Node's `code` (`ENOENT`, `EACCES`, ...). */
  readFile(path: string): Promise<Uint8Array>;
  /** Whether the path is a regular file (links followed). */
  isFile(path: string): Promise<boolean>;
  readonly cwd: string;
  /** `uname -r`: whose modules a bare module name means. */
  readonly kernelRelease: string;
}
