import { strerror } from '../abi/index.ts';

/** Whether to colour: `--color`/`--no-color` first, then `NO_COLOR` and `FORCE_COLOR`, then whether a terminal reads. */
export function wantsColour(
  asked: boolean | undefined,
  isTerminal: boolean,
  env: Readonly<Record<string, string | undefined>>,
): boolean {
  if (asked !== undefined) return asked;
  if ((env['NO_COLOR'] ?? '') !== '') return false;
  if ((env['FORCE_COLOR'] ?? '') !== '') return env['FORCE_COLOR'] !== '0';
  return isTerminal && env['TERM'] !== 'dumb';
}

/** A reader that goes away (`| head`) ends the command quietly, as SIGPIPE would; a full disk is told. */
export function endWithReader(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit(141);
      if (stream === process.stdout) {
        const reason = typeof error.errno === 'number' ? strerror(Math.abs(error.errno)) : error.message;
        process.stderr.write(`ringside: Cannot write the output: ${reason}\n`);
      }
      process.exit(1);
    });
  }
}
