import { InputError, RingsideError } from '../bytes/index.ts';
import { EXIT } from './exit-status.ts';
import { closest } from './suggest.ts';
import { endWithReader } from './terminal.ts';

interface Command {
  readonly summary: string;
  /** Loaded when it is the one asked for: a command starts with its own code only. */
  readonly load: () => Promise<(args: readonly string[]) => Promise<number>>;
}

const COMMANDS: Readonly<Record<string, Command>> = {
  run: {
    summary: 'load modules, show the log, let time pass, unload them',
    load: async () => (await import('./run.ts')).runCommand,
  },
  modinfo: {
    summary: "print a module's information, as kmod's modinfo does",
    load: async () => {
      const [{ modinfoCommand }, { fileCommandIo }] = await Promise.all([
        import('./modinfo.ts'),
        import('./file-command-io.ts'),
      ]);
      return (args) => modinfoCommand(args, fileCommandIo());
    },
  },
  inspect: {
    summary: 'print any parsed structure of a module, kernel or ELF file',
    load: async () => {
      const [{ inspectCommand }, { fileCommandIo }] = await Promise.all([
        import('./inspect.ts'),
        import('./file-command-io.ts'),
      ]);
      return (args) => inspectCommand(args, fileCommandIo());
    },
  },
  disasm: {
    summary: "print a function's instructions and what the engine makes of them",
    load: async () => {
      const [{ disasmCommand }, { fileCommandIo }] = await Promise.all([
        import('./disasm.ts'),
        import('./file-command-io.ts'),
      ]);
      return (args) => disasmCommand(args, fileCommandIo());
    },
  },
  kernel: {
    summary: 'add, list and show the kernels that modules can be run on',
    load: async () => {
      const { kernelCommand } = await import('./kernel.ts');
      return (args) => kernelCommand(args, process);
    },
  },
};

const HELP = `Usage: ringside COMMAND [ARGUMENT...]

Loads, runs and checks Linux kernel modules (.ko, x86-64) in a simulated kernel:
no root, no virtual machine, no reboot, the same result every time.

Commands:
${Object.entries(COMMANDS)
  .map(([name, { summary }]) => `  ${name.padEnd(10)}${summary}\n`)
  .join('')}
  ringside COMMAND --help      what a command takes
  ringside --version           this program's version

Examples:
  ringside run hello.ko                 insmod, the log, rmmod
  ringside run hello.ko name=Bob        with a parameter
  ringside run a.ko b.ko --for 60s      two modules, one minute of virtual time
  ringside run hello.ko --json          one JSON object a line, for programs
  ringside modinfo hello.ko

Exit status:
  0    all went well
  1    a module was refused, or an input or option cannot be used
  2    the kernel oopsed, warned, panicked or hung, or a memory error was found
  3    something is needed that Ringside does not support yet
  124  the wall-clock --timeout ended it
  130  Ctrl-C ended it
`;

/** The command's entry: bundled into `dist/command.cjs`, called by `bin/ringside.cjs`. Returns the exit status. */
export async function main(args: readonly string[]): Promise<number> {
  endWithReader();
  try {
    return await dispatch(args);
  } catch (error) {
    process.stderr.write(describeError(error, (process.env['RINGSIDE_DEBUG'] ?? '') !== ''));
    return error instanceof RingsideError && error.code === 'UNSUPPORTED' ? EXIT.unsupported : EXIT.refused;
  }
}

async function dispatch([name, ...rest]: readonly string[]): Promise<number> {
  switch (name) {
    case undefined:
      process.stderr.write(HELP);
      return EXIT.refused;
    case '--help':
    case '-h':
      process.stdout.write(HELP);
      return EXIT.clean;
    case '--version':
    case '-V':
      process.stdout.write(
        `ringside ${(await import('../../package.json', { with: { type: 'json' } })).default.version}\n`,
      );
      return EXIT.clean;
    case 'help':
      return await dispatch(rest.length === 0 ? ['--help'] : [rest[0]!, '--help']);
    default: {
      const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
      if (command === undefined) throw unknownCommand(name);
      return await (await command.load())(rest);
    }
  }
}

function unknownCommand(name: string): InputError {
  if (/\.ko(\.\w+)?$/.test(name)) {
    return new InputError(`"${name}" is no command: to run a module, write "ringside run ${name}"`);
  }
  const guess = closest(name, Object.keys(COMMANDS));
  const way = guess === undefined ? '' : `did you mean "${guess}"? `;
  return new InputError(`Unknown command "${name}": ${way}"ringside --help" lists them all`);
}

/** One message, never a stack of ours, unless it is asked for: what is unexpected says how to report it. */
function describeError(error: unknown, debug: boolean): string {
  if (debug) return `${error instanceof Error ? error.stack : String(error)}\n`;
  if (error instanceof RingsideError && error.code !== 'INVARIANT') return `ringside: ${error.message}\n`;
  const message = error instanceof Error ? error.message : String(error);
  return (
    `ringside: this is a bug of Ringside: ${message}\n` +
    'Please report it with the input; RINGSIDE_DEBUG=1 in the environment shows where it happened.\n'
  );
}
