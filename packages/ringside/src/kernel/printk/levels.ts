import { KERN } from '../../abi/index.ts';

/** What the control characters at the start of a message say. */
export interface MessagePrefix {
  /** The first level that is given. */
  readonly level: number | undefined;
  readonly cont: boolean;
  /** Characters of the prefix. */
  readonly length: number;
}

/** Reads any number of `KERN_*` prefixes. */
export function parsePrefix(text: string): MessagePrefix {
  let level: number | undefined;
  let cont = false;
  let length = 0;
  while (text[length] === KERN.KERN_SOH) {
    const control = text[length + 1] ?? '';
    if (control === 'c') cont = true;
    else if (control >= '0' && control <= '7' && control !== '') level ??= Number(control);
    else break;
    length += 2;
  }
  return { level, cont, length };
}
