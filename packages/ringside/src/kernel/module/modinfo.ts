import { ERRNO, LOGLEVEL, TAINT } from '../../abi/index.ts';
import { FormatError } from '../../bytes/index.ts';
import { SHF_EXECINSTR, SHF_WRITE } from '../../elf/index.ts';
import type { LoadInfo } from './load-info.ts';
import { sameMagic } from './version.ts';

/** Values of a `.modinfo` tag, in order, found as the kernel finds them. Source: get_next_modinfo, next_string. */
export function* modinfoValues(info: LoadInfo, tag: string): Generator<string> {
  const section = info.section(info.index.info);
  const byte = (at: number): number => {
    const value = info.bytes[at];
    if (value === undefined) throw new FormatError('.modinfo lies outside the file', { offset: at });
    return value;
  };
  const wanted = `${tag}=`;
  const matches = (at: number): boolean => {
    for (let i = 0; i < wanted.length; i++) {
      if (info.bytes[at + i] !== wanted.charCodeAt(i)) return false;
    }
    return true;
  };
  let at = section.offset;
  let left = section.size;
  // The section may end in the middle of a string; the kernel then stops, having looked at its beginning.
  for (;;) {
    if (matches(at)) yield info.string(at + wanted.length, '.modinfo');
    while (byte(at) !== 0) {
      at++;
      if (left-- <= 1) return;
    }
    while (byte(at) === 0) {
      at++;
      if (left-- <= 1) return;
    }
  }
}

/** `get_modinfo`: the first value. */
export function modinfo(info: LoadInfo, tag: string): string | undefined {
  for (const value of modinfoValues(info, tag)) return value;
  return undefined;
}

/** Name of the module as `struct module` in the file has it: what messages before the move print. */
export function nameInFile(info: LoadInfo): string {
  const section = info.section(info.index.mod);
  const at = section.offset + info.structs.module.name;
  const bytes = info.elf.slice(at, info.structs.nameSize);
  if (bytes === undefined) throw new FormatError('struct module is not in the file', { offset: at });
  const end = bytes.indexOf(0);
  return String.fromCharCode(...bytes.subarray(0, end < 0 ? bytes.length : end));
}

/** The taints after which lock debugging is not worth going on: LOCKDEP_NOW_UNRELIABLE. */
export function endsLockDebugging(bit: number): boolean {
  return bit === TAINT.TAINT_PROPRIETARY_MODULE || bit === TAINT.TAINT_FORCED_MODULE;
}

/** `add_taint_module` while the module has no memory of its own. */
export function addTaintEarly(info: LoadInfo, bit: number): void {
  info.host.addTaint(bit, endsLockDebugging(bit));
  info.taints |= 1 << bit;
}

/** `try_to_force_load`; Debian's kernel has CONFIG_MODULE_FORCE_LOAD. */
export function tryToForceLoad(info: LoadInfo, reason: string, addTaint: (bit: number) => void): number {
  const { host } = info;
  const config = host.spec.config;
  if (config !== undefined && config.get('CONFIG_MODULE_FORCE_LOAD') !== 'y') return -ERRNO.ENOEXEC;
  if (!host.hasTaint(TAINT.TAINT_FORCED_MODULE)) {
    host.printk(LOGLEVEL.LOGLEVEL_WARNING, `${nameInFile(info)}: ${reason}: kernel tainted.`);
  }
  addTaint(TAINT.TAINT_FORCED_MODULE);
  return 0;
}

const GPL_COMPATIBLE = new Set([
  'GPL',
  'GPL v2',
  'GPL and additional rights',
  'Dual BSD/GPL',
  'Dual MIT/GPL',
  'Dual MPL/GPL',
]);

/** State that the messages printed once share. */
export interface OncePrinted {
  readonly printed: Set<string>;
}

export interface CheckModinfoOptions {
  readonly ignoreVermagic: boolean;
  readonly once: OncePrinted;
}

/** `check_modinfo`: vermagic, and the taints that `.modinfo` announces, with their messages. */
export function checkModinfo(info: LoadInfo, options: CheckModinfoOptions): number {
  const { host } = info;
  const name = nameInFile(info);
  const warn = (text: string): void => host.printk(LOGLEVEL.LOGLEVEL_WARNING, text);
  const magic = options.ignoreVermagic ? undefined : modinfo(info, 'vermagic');
  if (magic === undefined) {
    const err = tryToForceLoad(info, 'bad vermagic', (bit) => addTaintEarly(info, bit));
    if (err) return err;
  } else if (!sameMagic(magic, host.spec.vermagic, info.index.vers !== 0)) {
    host.printk(
      LOGLEVEL.LOGLEVEL_ERR,
      `${info.name}: version magic '${magic}' should be '${host.spec.vermagic}'`,
    );
    return -ERRNO.ENOEXEC;
  }

  if (modinfo(info, 'intree') === undefined) {
    if (!host.hasTaint(TAINT.TAINT_OOT_MODULE)) warn(`${name}: loading out-of-tree module taints kernel.`);
    addTaintEarly(info, TAINT.TAINT_OOT_MODULE);
  }

  if (modinfo(info, 'retpoline') === undefined) {
    host.printk(LOGLEVEL.LOGLEVEL_ERR, 'Spectre V2 : System may be vulnerable to spectre v2');
    warn(`${name}: loading module not compiled with retpoline compiler.`);
  }

  if (modinfo(info, 'staging') !== undefined) {
    addTaintEarly(info, TAINT.TAINT_CRAP);
    warn(`${name}: module is from the staging directory, the quality is unknown, you have been warned.`);
  }

  if (modinfo(info, 'livepatch') !== undefined) {
    info.klp = true;
    addTaintEarly(info, TAINT.TAINT_LIVEPATCH);
    if (!options.once.printed.has('livepatch')) {
      options.once.printed.add('livepatch');
      host.printk(LOGLEVEL.LOGLEVEL_NOTICE, `${name}: tainting kernel with TAINT_LIVEPATCH`);
    }
  }

  const license = modinfo(info, 'license') ?? 'unspecified';
  if (!GPL_COMPATIBLE.has(license)) {
    if (!host.hasTaint(TAINT.TAINT_PROPRIETARY_MODULE)) {
      warn(`${name}: module license '${license}' taints kernel.`);
    }
    addTaintEarly(info, TAINT.TAINT_PROPRIETARY_MODULE);
  }

  if (modinfo(info, 'test') !== undefined) {
    if (!host.hasTaint(TAINT.TAINT_TEST)) warn(`${name}: loading test module taints kernel.`);
    addTaintEarly(info, TAINT.TAINT_TEST);
  }
  return 0;
}

/** `module_enforce_rwx_sections`: no section may be both writable and executable. */
export function enforceRwxSections(info: LoadInfo): number {
  const both = SHF_WRITE | SHF_EXECINSTR;
  for (const section of info.sections) {
    if ((section.flags & both) === both) {
      info.host.printk(
        LOGLEVEL.LOGLEVEL_ERR,
        `${nameInFile(info)}: section ${info.sectionName(section)} (index ${section.index}) has invalid WRITE|EXEC flags`,
      );
      return -ERRNO.ENOEXEC;
    }
  }
  return 0;
}

/** `module_blacklist=a,b` on the kernel's command line. */
export function blacklisted(list: string | undefined, name: string): boolean {
  return list !== undefined && list !== '' && list.split(',').includes(name);
}
