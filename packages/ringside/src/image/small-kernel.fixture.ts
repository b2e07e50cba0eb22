import { everyKind } from '../btf/btf-builder.fixture.ts';
import { readBtf } from '../btf/index.ts';
import { asAddr } from '../bytes/index.ts';
import { exportColumns } from './export-table.ts';
import { TextKernelConfig } from './kernel-config.ts';
import type { KernelFacts } from './spec-file/spec-file.ts';

const SYMBOLS: readonly (readonly [address: number, type: string, name: string])[] = [
  [0, 'A', 'fixed_percpu_data'],
  [0x1000, 'A', 'cpu_number'],
  [-0x7f000000, 'T', '_text'],
  [-0x7f000000, 'T', '_stext'],
  [-0x7effff00, 't', 'twin'],
  [-0x7efffe00, 'T', 'do_things'],
  [-0x7efffd00, 't', 'twin'],
  [-0x7d000000, 'D', 'things'],
  [-0x7c000000, 'B', '_end'],
];

/** A kernel small enough to look through, with one of everything. */
export function smallKernel(release = '1.2.3-test'): KernelFacts {
  const { section } = everyKind();
  const nameStarts = Uint32Array.from([0, ...SYMBOLS.map(([, , name]) => name.length)]);
  for (let i = 1; i < nameStarts.length; i++) nameStarts[i]! += nameStarts[i - 1]!;
  return {
    release,
    version: '#1 SMP',
    machine: 'x86_64',
    banner: `Linux version ${release} (someone) #1 SMP`,
    vermagic: `${release} SMP mod_unload `,
    exports: exportColumns([
      {
        name: 'do_things',
        address: asAddr(-0x7efffe00),
        crc: 0xdeadbeef,
        gplOnly: false,
        namespace: undefined,
      },
      { name: 'things', address: asAddr(-0x7d000000), crc: 1, gplOnly: true, namespace: 'THINGS' },
      { name: 'cpu_number', address: asAddr(0x1000), crc: 0, gplOnly: true, namespace: undefined },
    ]),
    symbols: {
      addresses: Float64Array.from(SYMBOLS, ([address]) => address),
      types: Uint8Array.from(SYMBOLS, ([, type]) => type.charCodeAt(0)),
      nameStarts,
      names: Uint8Array.from(SYMBOLS.map(([, , name]) => name).join(''), (char) => char.charCodeAt(0)),
    },
    btf: section,
    types: readBtf(section),
    trustedKeys: [
      { der: Uint8Array.of(0x30, 0), subject: 'Test key', serial: '01', subjectKeyId: undefined },
    ],
    config: new TextKernelConfig(
      '# comment\nCONFIG_HZ=250\n# CONFIG_X is not set\nCONFIG_NAME="a \\"b\\""\nCONFIG_M=m\n',
    ),
    sections: [{ name: '.text', address: asAddr(-0x7f000000), size: 0x1000000, offset: 0x200000 }],
    calls: [
      {
        name: 'do_things',
        address: asAddr(-0x7efffe00),
        size: 0x100,
        calls: [
          { returnOffset: 5, target: 'twin' },
          { returnOffset: 0x20, target: '*' },
        ],
        tailCalls: ['things'],
      },
    ],
  };
}
