import { ERRNO, LOGLEVEL } from '../../abi/index.ts';
import type { KernelSpec } from '../../image/index.ts';
import { type Certificate, checkModuleSignature, parseCertificate } from '../../signature/index.ts';
import type { LoadInfo } from './load-info.ts';

const certificates = new WeakMap<KernelSpec, readonly Certificate[]>();

function trusted(spec: KernelSpec): readonly Certificate[] {
  let list = certificates.get(spec);
  if (list === undefined) {
    list = spec.trustedKeys.map((key) => parseCertificate(key.der));
    certificates.set(spec, list);
  }
  return list;
}

/**
 * `module_sig_check`: cuts the signature off and says in `info.sigOk` whether it is right. A missing or unknown
 * signature is an error only when signatures are enforced. Source: kernel/module/signing.c.
 *
 * `mangled`: the caller asked to ignore versions or vermagic, which makes any signature void.
 */
export function moduleSigCheck(info: LoadInfo, mangled: boolean): number {
  const { host } = info;
  const check = checkModuleSignature(info.bytes, trusted(host.spec), { mangled });
  for (const { text } of check.log) host.printk(LOGLEVEL.LOGLEVEL_ERR, text);
  info.truncate(check.contentSize);
  if (check.ok) {
    info.sigOk = true;
    return 0;
  }
  if (check.unverified === undefined) return -ERRNO[check.errno];
  if (isEnforced(info)) {
    host.printk(LOGLEVEL.LOGLEVEL_NOTICE, `Loading of ${check.unverified} is rejected`);
    return -ERRNO.EKEYREJECTED;
  }
  return 0;
}

/** `is_module_sig_enforced()`: CONFIG_MODULE_SIG_FORCE or `module.sig_enforce` on the command line. */
export function isSigEnforced(spec: KernelSpec, bootOption: string | undefined): boolean {
  if (spec.config?.get('CONFIG_MODULE_SIG_FORCE') === 'y') return true;
  return bootOption !== undefined && /^(|[yYtT1].*|[oO][nN].*)$/.test(bootOption);
}

function isEnforced(info: LoadInfo): boolean {
  return isSigEnforced(info.host.spec, info.host.bootOption('module.sig_enforce'));
}
