import { readBtf } from '../btf/index.ts';
import { scanCalls } from './call-scan.ts';
import { ListCallTable } from './call-table.ts';
import { ColumnExportTable } from './export-table.ts';
import { FRAME_FUNCTIONS } from './frame-functions.ts';
import { readIdentity } from './identity.ts';
import { readKallsyms } from './kallsyms.ts';
import type { TextKernelConfig } from './kernel-config.ts';
import type { KernelSpec } from './kernel-spec.ts';
import { readExports } from './ksymtab.ts';
import type { KernelFacts } from './spec-file/spec-file.ts';
import { ColumnSymbolTable } from './symbol-table.ts';
import { readTrustedKeys } from './trusted-keys.ts';
import { Vmlinux } from './vmlinux.ts';

/** Reads all facts out of an ELF kernel. Throws `FormatError` for what is no kernel, or not a complete one. */
export function readFacts(vmlinux: Uint8Array, config: TextKernelConfig | undefined): KernelFacts {
  const image = new Vmlinux(vmlinux);
  const columns = readKallsyms(image.reader('.rodata'));
  const symbols = new ColumnSymbolTable(columns);
  const btf = image.reader('.BTF').bytes;
  const types = readBtf(btf);
  return {
    ...readIdentity(image, symbols, types),
    exports: readExports(image, symbols),
    symbols: columns,
    btf,
    types,
    trustedKeys: readTrustedKeys(image, symbols),
    config,
    sections: image.sections,
    calls: scanCalls(image, symbols, FRAME_FUNCTIONS),
  };
}

/** Facts as a specification that is ready to use. */
export function specOfFacts(facts: KernelFacts): KernelSpec {
  return {
    ...facts,
    exports: new ColumnExportTable(facts.exports),
    symbols: new ColumnSymbolTable(facts.symbols),
    calls: new ListCallTable(facts.calls),
  };
}
