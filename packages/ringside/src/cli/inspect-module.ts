import type { CodeSite, ModuleSpec } from '../ko/index.ts';
import { readSignatureFields } from '../signature/index.ts';
import { elfViews } from './inspect-elf.ts';
import { btfRows } from './inspect-kernel.ts';
import { hexBytes, placeOf, type Row, type Views } from './inspect-table.ts';

const orcRegisters = [
  'undefined',
  'prev_sp',
  'dx',
  'di',
  'bp',
  'sp',
  'r10',
  'r13',
  'bp_indirect',
  'sp_indirect',
];
const orcTypes = ['call', 'regs', 'regs_partial', 'func'];

/** What a module file has beyond any ELF file. `kernel`: the kernel whose types its BTF stands on. */
export function moduleViews(spec: ModuleSpec, kernel: string | undefined): Views {
  const sites = (read: () => readonly CodeSite[]) => () =>
    read().map(({ at, addr }) => ({ at, addr: placeOf(addr) }));
  return {
    modinfo: {
      summary: '.modinfo: keys and values in order',
      rows: () => spec.modinfo.map(({ key, value }) => ({ key, value })),
    },
    versions: {
      summary: 'CRCs of imported symbols',
      hex: ['crc'],
      rows: () => spec.versions.map(({ name, crc }) => ({ crc, name })),
    },
    params: {
      summary: 'parameters',
      rows: () =>
        spec.params.map(({ name, ops, perm, level, flags, arg }) => ({
          name,
          ops: placeOf(ops),
          perm: perm.toString(8).padStart(4, '0'),
          level,
          flags,
          arg: placeOf(arg),
        })),
    },
    exports: {
      summary: 'symbols for other modules',
      hex: ['crc'],
      rows: () =>
        spec.exports.map(({ name, gplOnly, namespace, crc, value }) => ({
          name,
          gplOnly,
          namespace,
          crc,
          value: placeOf(value),
        })),
    },
    imports: {
      summary: 'symbols it needs',
      rows: () => spec.imports.map(({ name, weak }) => ({ name, weak })),
    },
    this_module: {
      summary: 'relocated fields of its struct module',
      hex: ['at'],
      rows: () => spec.thisModule?.pointers.map(({ at, target }) => ({ at, target: placeOf(target) })) ?? [],
    },
    orc: {
      summary: 'unwind information',
      rows: () =>
        spec.orc.map(({ ip, spReg, spOffset, bpReg, bpOffset, type, end }) => ({
          ip: placeOf(ip),
          sp: orcRegisters[spReg] ?? String(spReg),
          spOffset,
          bp: orcRegisters[bpReg] ?? String(bpReg),
          bpOffset,
          type: orcTypes[type] ?? String(type),
          end,
        })),
    },
    ex_table: {
      summary: 'instructions that may fault, and where to go on',
      hex: ['data'],
      rows: () =>
        spec.exceptionTable.map(({ insn, fixup, type, data }) => ({
          insn: placeOf(insn),
          fixup: placeOf(fixup),
          type,
          data: data >>> 0,
        })),
    },
    bug_table: {
      summary: 'places of BUG and WARN',
      hex: ['flags'],
      rows: () =>
        spec.bugTable.map(({ addr, fileName, line, flags }) => ({
          addr: placeOf(addr),
          file: fileName,
          line,
          flags,
        })),
    },
    jump_table: {
      summary: 'static keys (jump labels)',
      rows: () =>
        spec.jumpTable.map(({ code, target, key, branch }) => ({
          code: placeOf(code),
          target: placeOf(target),
          key: placeOf(key),
          branch,
        })),
    },
    altinstructions: {
      summary: 'code replaced by CPU feature',
      rows: () =>
        spec.alternatives.map((entry) => ({
          instr: placeOf(entry.instr),
          length: entry.instrLength,
          replacement: placeOf(entry.replacement),
          replacementLength: entry.replacementLength,
          feature: `${entry.inverted ? '!' : ''}${entry.feature >> 5}*32+${entry.feature & 31}`,
        })),
    },
    paravirt: {
      summary: 'calls that paravirtualisation patches',
      rows: () =>
        spec.paravirtSites.map(({ instr, type, length }) => ({ instr: placeOf(instr), type, length })),
    },
    static_calls: {
      summary: 'static call sites',
      rows: () =>
        spec.staticCallSites.map(({ addr, key, tail, init }) => ({
          addr: placeOf(addr),
          key: placeOf(key),
          tail,
          init,
        })),
    },
    return_sites: { summary: 'returns', hex: ['at'], rows: sites(() => spec.returnSites) },
    retpoline_sites: { summary: 'indirect calls', hex: ['at'], rows: sites(() => spec.retpolineSites) },
    ibt_seals: { summary: 'ENDBR to remove', hex: ['at'], rows: sites(() => spec.ibtSeals) },
    mcount: { summary: 'calls to __fentry__', hex: ['at'], rows: sites(() => spec.mcountLocations) },
    smp_locks: { summary: 'lock prefixes', hex: ['at'], rows: sites(() => spec.smpLocks) },
    btf: { summary: "types, on top of the kernel's", rows: async () => await btfRows(spec.btf, kernel) },
    signature: { summary: 'the appended signature', rows: () => signatureRows(spec) },
    ...elfViews(spec.elf),
  };
}

function signatureRows(spec: ModuleSpec): Row[] {
  const block = spec.signature;
  if (block === undefined) return [];
  const fields = readSignatureFields(spec.bytes);
  const row = {
    algo: block.algo,
    hash: block.hash,
    id_type: block.idType,
    signer_len: block.signerLength,
    key_id_len: block.keyIdLength,
    sig_len: block.signatureLength,
    signed_bytes: block.moduleSize,
    ...(fields === undefined
      ? {}
      : {
          sig_id: fields.sig_id,
          signer: fields.signer,
          sig_key: hexBytes(fields.sig_key),
          sig_hashalgo: fields.sig_hashalgo,
          signature: hexBytes(fields.signature),
        }),
  };
  return Object.entries(row).map(([field, value]) => ({ field, value }));
}
