/** How many bytes a relocation writes and how the value is formed. */
export interface RelocationType {
  readonly number: number;
  readonly name: string;
  /** Bytes written at the place; 0 where nothing or something special is written. */
  readonly sizeBytes: 0 | 1 | 2 | 4 | 8;
  /** Whether the place's own address is subtracted (`S + A - P`). */
  readonly pcRelative: boolean;
}

type Row = readonly [number: number, name: string, sizeBytes: RelocationType['sizeBytes'], pcRelative?: 'pc'];

/** Source: x86-64 psABI, table 4.9; numbers 38 and 40 are deprecated or unassigned. */
const rows: readonly Row[] = [
  [0, 'R_X86_64_NONE', 0],
  [1, 'R_X86_64_64', 8],
  [2, 'R_X86_64_PC32', 4, 'pc'],
  [3, 'R_X86_64_GOT32', 4],
  [4, 'R_X86_64_PLT32', 4, 'pc'],
  [5, 'R_X86_64_COPY', 0],
  [6, 'R_X86_64_GLOB_DAT', 8],
  [7, 'R_X86_64_JUMP_SLOT', 8],
  [8, 'R_X86_64_RELATIVE', 8],
  [9, 'R_X86_64_GOTPCREL', 4, 'pc'],
  [10, 'R_X86_64_32', 4],
  [11, 'R_X86_64_32S', 4],
  [12, 'R_X86_64_16', 2],
  [13, 'R_X86_64_PC16', 2, 'pc'],
  [14, 'R_X86_64_8', 1],
  [15, 'R_X86_64_PC8', 1, 'pc'],
  [16, 'R_X86_64_DTPMOD64', 8],
  [17, 'R_X86_64_DTPOFF64', 8],
  [18, 'R_X86_64_TPOFF64', 8],
  [19, 'R_X86_64_TLSGD', 4, 'pc'],
  [20, 'R_X86_64_TLSLD', 4, 'pc'],
  [21, 'R_X86_64_DTPOFF32', 4],
  [22, 'R_X86_64_GOTTPOFF', 4, 'pc'],
  [23, 'R_X86_64_TPOFF32', 4],
  [24, 'R_X86_64_PC64', 8, 'pc'],
  [25, 'R_X86_64_GOTOFF64', 8],
  [26, 'R_X86_64_GOTPC32', 4, 'pc'],
  [27, 'R_X86_64_GOT64', 8],
  [28, 'R_X86_64_GOTPCREL64', 8, 'pc'],
  [29, 'R_X86_64_GOTPC64', 8, 'pc'],
  [30, 'R_X86_64_GOTPLT64', 8],
  [31, 'R_X86_64_PLTOFF64', 8],
  [32, 'R_X86_64_SIZE32', 4],
  [33, 'R_X86_64_SIZE64', 8],
  [34, 'R_X86_64_GOTPC32_TLSDESC', 4, 'pc'],
  [35, 'R_X86_64_TLSDESC_CALL', 0],
  [36, 'R_X86_64_TLSDESC', 0],
  [37, 'R_X86_64_IRELATIVE', 8],
  [38, 'R_X86_64_RELATIVE64', 8],
  [39, 'R_X86_64_PC32_BND', 4, 'pc'],
  [40, 'R_X86_64_PLT32_BND', 4, 'pc'],
  [41, 'R_X86_64_GOTPCRELX', 4, 'pc'],
  [42, 'R_X86_64_REX_GOTPCRELX', 4, 'pc'],
];

const byNumber = new Map<number, RelocationType>(
  rows.map(([number, name, sizeBytes, pc]) => [number, { number, name, sizeBytes, pcRelative: pc === 'pc' }]),
);

export const R_X86_64_NONE = 0;
export const R_X86_64_64 = 1;
export const R_X86_64_PC32 = 2;
export const R_X86_64_PLT32 = 4;
export const R_X86_64_RELATIVE = 8;
export const R_X86_64_32 = 10;
export const R_X86_64_32S = 11;
export const R_X86_64_PC64 = 24;

/** Every x86-64 relocation type the psABI names, in order of number. */
export const relocationTypes: readonly RelocationType[] = [...byNumber.values()];

/** The type with this number, or undefined when the psABI has none. */
export function relocationType(number: number): RelocationType | undefined {
  return byNumber.get(number);
}

/** `R_X86_64_PC32`, or `R_X86_64_<number>` for a type that does not exist. */
export function relocationTypeName(number: number): string {
  return byNumber.get(number)?.name ?? `R_X86_64_<${number}>`;
}
