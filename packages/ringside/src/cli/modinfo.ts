import { FormatError, UnsupportedError } from '../bytes/index.ts';
import { decompressDetected } from '../compression/index.ts';
import { readModinfoSection } from '../ko/index.ts';
import { formatHexField, readSignatureFields } from '../signature/index.ts';
import { formatInfo, type InfoLine, padKey } from './modinfo-format.ts';
import type { FileCommandIo } from './modinfo-io.ts';
import { type ModinfoOptions, parseModinfoOptions } from './modinfo-options.ts';
import { findModinfoSection } from './modinfo-section.ts';

export type { FileCommandIo } from './modinfo-io.ts';

const help = `Usage:
	ringside modinfo [options] <modulename|filename> [args]
Options:
	-a, --author                Print only 'author'
	-d, --description           Print only 'description'
	-l, --license               Print only 'license'
	-p, --parameters            Print only 'parm'
	-n, --filename              Print only 'filename'
	-0, --null                  Use \\0 instead of \\n
	-m, --modname               Handle argument as module name instead of filename
	-F, --field=FIELD           Print only provided FIELD
	-k, --set-version=VERSION   Use VERSION instead of \`uname -r\`
	-b, --basedir=DIR           Use DIR as filesystem root for /lib/modules
	-V, --version               Show version
	-h, --help                  Show this help
`;

/** glibc's strerror for what can go wrong with a file. */
const strerror: Readonly<Record<string, string>> = {
  EACCES: 'Permission denied',
  EINVAL: 'Invalid argument',
  EIO: 'Input/output error',
  EISDIR: 'Is a directory',
  ENOENT: 'No such file or directory',
  ENOEXEC: 'Exec format error',
  EPERM: 'Operation not permitted',
};

const extensions = ['.ko', '.ko.gz', '.ko.xz', '.ko.zst'];

/**
 * `ringside modinfo`: what kmod 30's modinfo prints, byte for byte, and its exit status (0 or 1).
 *
 * Deviation: `.ko.gz` is read (Debian's kmod is built without zlib); a bare name is looked up in `modules.dep`
 * only, not among aliases, built-in modules and modprobe's configuration; a
 * truncated `.ko.zst` is `Invalid argument`, where kmod goes on with what it could unpack.
 */
export async function modinfoCommand(args: readonly string[], io: FileCommandIo): Promise<number> {
  const options = parseModinfoOptions(args);
  if ('error' in options) {
    io.stderr(`modinfo: ${options.error}\n`);
    return 1;
  }
  if ('print' in options) {
    io.stdout(options.print === 'help' ? help : 'ringside modinfo, as of kmod version 30\n');
    return 0;
  }
  if (options.operands.length === 0) {
    io.stderr('modinfo: ERROR: missing module or filename.\n');
    return 1;
  }
  let status = 0;
  for (const operand of options.operands) {
    const path = await findModule(operand, options, io);
    if (path === undefined) {
      const what = options.byName ? 'Module name' : 'Module';
      io.stderr(`modinfo: ERROR: ${what} ${operand} not found.\n`);
      status = 1;
    } else if (!(await printModule(path, options, io))) {
      status = 1;
    }
  }
  return status;
}

async function findModule(
  operand: string,
  options: ModinfoOptions,
  io: FileCommandIo,
): Promise<string | undefined> {
  const named = extensions.some(
    (extension) => operand.endsWith(extension) && operand.length > extension.length,
  );
  if (!options.byName && named && (await io.isFile(operand))) {
    return operand.startsWith('/') ? operand : `${io.cwd}/${operand}`;
  }
  const directory = `${options.baseDirectory ?? ''}/lib/modules/${options.kernelVersion ?? io.kernelRelease}`;
  const dependencies = await io.readFile(`${directory}/modules.dep`).catch(() => undefined);
  if (dependencies === undefined) return undefined;
  const wanted = operand.replaceAll('-', '_');
  for (const line of new TextDecoder().decode(dependencies).split('\n')) {
    const path = line.slice(0, Math.max(0, line.indexOf(':')));
    if (path !== '' && moduleName(path) === wanted)
      return path.startsWith('/') ? path : `${directory}/${path}`;
  }
  return undefined;
}

/** Prints one module; false when it could not be read. */
async function printModule(
  path: string,
  { field, separator }: ModinfoOptions,
  io: FileCommandIo,
): Promise<boolean> {
  if (field === undefined) io.stdout(`${padKey('filename')}${path}${separator}`);
  if (field === 'filename') {
    io.stdout(`${path}${separator}`);
    return true;
  }
  const lines = await readInfo(path, io);
  if (typeof lines === 'string') {
    const reason = strerror[lines] ?? lines;
    io.stderr(`modinfo: ERROR: could not get modinfo from '${moduleName(path)}': ${reason}\n`);
    return false;
  }
  const { text, errors } = formatInfo(lines, field, separator);
  for (const error of errors) io.stderr(binary(`modinfo: ERROR: ${error}\n`));
  if (text !== '') io.stdout(binary(text));
  return true;
}

/** The module's entries, each text one character a byte; or an errno's name. */
async function readInfo(path: string, io: FileCommandIo): Promise<InfoLine[] | string> {
  let bytes: Uint8Array;
  try {
    bytes = await decompressDetected(await io.readFile(path));
  } catch (error) {
    if (error instanceof FormatError || error instanceof UnsupportedError) return 'EINVAL';
    if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
    throw error;
  }
  const section = findModinfoSection(bytes);
  if (typeof section === 'string') return section;
  const lines = readModinfoSection(section, 'latin1').map(({ key, value }) => ({ key, value: value ?? '' }));
  const signature = readSignatureFields(bytes);
  if (signature !== undefined) {
    lines.push(
      { key: 'sig_id', value: signature.sig_id },
      { key: 'signer', value: Buffer.from(untilNul(signature.signer)).toString('latin1') },
      { key: 'sig_key', value: formatHexField(signature.sig_key) },
      { key: 'sig_hashalgo', value: signature.sig_hashalgo },
      { key: 'signature', value: formatHexField(signature.signature) },
    );
  }
  return lines;
}

/** `dm_mod` for `/lib/.../dm-mod.ko.xz`. */
function moduleName(path: string): string {
  const file = path.slice(path.lastIndexOf('/') + 1);
  const dot = file.indexOf('.');
  return (dot < 0 ? file : file.slice(0, dot)).replaceAll('-', '_');
}

/** kmod prints the signer's name, whose length stands in the file, as a C string. */
function untilNul(text: string): string {
  const end = text.indexOf('\0');
  return end < 0 ? text : text.slice(0, end);
}

/** The bytes of a text that has one character a byte: kmod copies whatever encoding the module has. */
function binary(text: string): Uint8Array {
  return Buffer.from(text, 'latin1');
}
