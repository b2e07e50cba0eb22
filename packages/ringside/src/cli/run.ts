import { readFileSync } from 'node:fs';
import { strerror } from '../abi/index.ts';
import { FormatError, InputError } from '../bytes/index.ts';
import { decompressDetected } from '../compression/index.ts';
import { boot, explainCrash } from '../machine/index.ts';
import { resolveKernel } from '../node/index.ts';
import { EXIT } from './exit-status.ts';
import { describeReport } from './report-text.ts';
import { parseRunOptions, RUN_HELP, type RunOptions } from './run-options.ts';
import { jsonOutput, type RunOutput, textOutput } from './run-output.ts';
import { type ModuleFile, runSession } from './run-session.ts';
import { wantsColour } from './terminal.ts';

/** `ringside run`. Throws `InputError` and `UnsupportedError` for what stands in the way of a run. */
export async function runCommand(args: readonly string[]): Promise<number> {
  const options = parseRunOptions(args);
  if (options === 'help') {
    process.stdout.write(RUN_HELP);
    return EXIT.clean;
  }
  const output = outputFor(options);
  const modules: ModuleFile[] = [];
  for (const { path, params } of options.modules)
    modules.push({ path, params, bytes: await readModuleFile(path) });
  const ending = new AbortController();
  const stopListening = listenForEnd(ending, options.timeoutMs);
  try {
    const machine = await boot({
      spec: await resolveKernel(options.kernel),
      seed: options.seed,
      commandLine: options.commandLine,
      panicOnReport: options.panicOnReport,
      exact: options.exact,
      uninitialised: options.uninitialised,
      onLog: (record) => output.log(record),
      onCrash: (crash) => {
        output.event({
          type: 'report',
          timeNs: machine.nowNs,
          kind: 'explanation',
          message: explainCrash(crash).join('\n'),
        });
      },
      onReport: (report) => output.event(describeReport(machine, report)),
    });
    let status: number;
    try {
      status = await runSession(machine, output, { ...options, modules, signal: ending.signal });
    } catch (error) {
      if (!(ending.signal.aborted && error === ending.signal.reason && error instanceof Ended)) throw error;
      process.stderr.write(`ringside: ${error.message}\n`);
      status = error.status;
    }
    output.event({ type: 'end', timeNs: machine.nowNs, status, tainted: machine.kernel.tainted });
    return status;
  } finally {
    stopListening();
  }
}

/** Why a run was ended from outside. */
class Ended extends Error {
  readonly status: number;

  constructor(message: string, status: number) {
    super(message);
    this.status = status;
  }
}

/** The machine runs in slices and looks at the signal between them, so this ends an endless loop in a module too. */
function listenForEnd(ending: AbortController, timeoutMs: number | undefined): () => void {
  const interrupt = () => {
    // The second Ctrl-C does not wait for anything.
    if (ending.signal.aborted) process.exit(EXIT.interrupted);
    ending.abort(new Ended('interrupted', EXIT.interrupted));
  };
  process.on('SIGINT', interrupt);
  const timer =
    timeoutMs === undefined
      ? undefined
      : setTimeout(
          () => {
            ending.abort(new Ended(`not done after ${timeoutMs / 1000} s (--timeout)`, EXIT.timeout));
          },
          Math.min(timeoutMs, 2 ** 31 - 1),
        );
  return () => {
    process.off('SIGINT', interrupt);
    clearTimeout(timer);
  };
}

function outputFor(options: RunOptions): RunOutput {
  if (options.json) return jsonOutput(process);
  const terminal = process.stdout.isTTY === true;
  return textOutput(process, {
    colour: wantsColour(options.colour, terminal, process.env),
    explain: options.explain ?? terminal,
  });
}

/** As kmod does: a compressed module is unpacked before the kernel sees it. */
async function readModuleFile(path: string): Promise<Uint8Array> {
  try {
    return await decompressDetected(readFileSync(path));
  } catch (error) {
    if (error instanceof FormatError) {
      throw new InputError(`Cannot unpack "${path}": ${error.message}; the file is damaged or cut off`, {
        cause: error,
      });
    }
    if (!(error instanceof Error && 'errno' in error && 'code' in error)) throw error;
    throw new InputError(`Cannot read "${path}": ${readFailure(path, error)}`, { cause: error });
  }
}

function readFailure(path: string, error: Error & { code: unknown; errno: unknown }): string {
  switch (error.code) {
    case 'ENOENT':
      return /[./\\]/.test(path)
        ? 'no such file'
        : `no such file; for a parameter of the module before it, write ${/^\w+$/.test(path) ? path : 'NAME'}=VALUE`;
    case 'EISDIR':
      return 'it is a directory; name the .ko file in it';
    case 'EACCES':
      return 'permission denied';
    default:
      return typeof error.errno === 'number' ? strerror(Math.abs(error.errno)) : error.message;
  }
}
