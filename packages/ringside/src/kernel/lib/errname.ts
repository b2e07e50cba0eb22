import { errnoName } from '../../abi/index.ts';

/** Error numbers with a name that the kernel's own table lacks. Source: Linux 6.1 lib/errname.c. */
const UNNAMED: ReadonlySet<string> = new Set(['ENOGRACE']);

/** The name of an error number (either sign) as `%pe` prints it, without a sign. */
export function errname(errno: number): string | undefined {
  const name = errnoName(errno);
  return name === undefined || UNNAMED.has(name) ? undefined : name;
}
