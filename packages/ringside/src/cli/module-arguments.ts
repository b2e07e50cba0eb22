import { InputError } from '../bytes/index.ts';

export interface ModuleArgument {
  readonly path: string;
  /** As `insmod` hands them to the kernel: joined by spaces, nothing quoted. */
  readonly params: string;
}

/** A parameter's name as the kernel allows it, dots for those of built-in code included. */
const PARAMETER = /^[A-Za-z_][\w.-]*=/;

/**
 * Splits `a.ko x=1 y=2 b.ko`: parameters belong to the module before them. A file whose name looks like a
 * parameter is written `./a=b.ko`. Throws `InputError`.
 */
export function splitModuleArguments(words: readonly string[]): ModuleArgument[] {
  const modules: { path: string; params: string[] }[] = [];
  for (const word of words) {
    if (!PARAMETER.test(word)) modules.push({ path: word, params: [] });
    else if (modules.length > 0) modules.at(-1)!.params.push(word);
    else
      throw new InputError(`Parameter "${word}" stands before any module: write it after its module's file`);
  }
  if (modules.length === 0) {
    throw new InputError(
      'No module is named: give a .ko file, as in "ringside run hello.ko"; see "ringside run --help"',
    );
  }
  return modules.map(({ path, params }) => ({ path, params: params.join(' ') }));
}
