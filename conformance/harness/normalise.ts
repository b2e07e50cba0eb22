// Takes out of a transcript what may legitimately differ between two runs or two kernels, and nothing else.
//
// Kernel lines (after `| `; the level is kept):
//   time stamps                     removed
//   PIDs, numbers of kworkers       <pid>, kworker/0:<n>
//   name+0x1/0x2 without [module]   name: offsets and sizes of the kernel's own functions; a module's are compared
//   `? ` frames of call traces      dropped
//   kernel release and version      <kernel>, where the kernel names itself; a module's vermagic is compared
//   BIOS version                    <bios>
//   PGD ... PTE values, FS/GS, CR3  only that the line is there
//   the user half of a call trace   dropped: RIP: 0033 and the registers below it
//   Code: at a RIP in the kernel    only that it is there (a spec has no code of the kernel to show); at a RIP in a
//                                   module every byte is compared
//   a frame of a module, 9 times over or more  once, with `...`: how often depends on how much stack the kernel had left
//   notes of the machine (below)    dropped
// Registers: a dump shows what the module's code and what the kernel's code wrote last, and the text doesn't tell which.
//   RAX to R15 are therefore compared only where the case says so (its file `registers`), which is to name every
//   register that the module wrote before the fault; and never where RIP is in a function of the kernel (the code that
//   an interrupt came upon). EFLAGS is compared without the arithmetic flags, unless named
//   there. CR2 is compared when the fault or the look at the code (`Unable to access opcode bytes`) wrote it. CR0, CR4,
//   the selectors and the order of the lines are always compared.
// Addresses (16 hexadecimal digits), in all lines, are replaced by where they lie:
//   <module:123>   modules: the offset in the page stays
//   <image> <direct> <vmalloc> <vmemmap> <entry> <user>
//   what lies nowhere (small numbers, poison, non-canonical and wild pointers) stays.

const FLAGS_OF_ARITHMETIC = 0x8d5n; // CF PF AF ZF SF OF
const GIB = 1n << 30n;

// Source: Documentation/x86/x86_64/mm.rst (4-level paging, nokaslr); machines here have less than 64 GiB.
const REGIONS: readonly (readonly [name: string, start: bigint, end: bigint])[] = [
  ['user', 0x5500_0000_0000n, 0x8000_0000_0000n],
  ['direct', 0xffff_8880_0000_0000n, 0xffff_8880_0000_0000n + 64n * GIB],
  ['vmalloc', 0xffff_c900_0000_0000n, 0xffff_c900_0000_0000n + 64n * GIB],
  ['vmemmap', 0xffff_ea00_0000_0000n, 0xffff_ea00_0000_0000n + 64n * GIB],
  ['entry', 0xffff_fe00_0000_0000n, 0xffff_fe80_0000_0000n],
  ['image', 0xffff_ffff_8000_0000n, 0xffff_ffff_c000_0000n],
  ['module', 0xffff_ffff_c000_0000n, 0xffff_ffff_ff00_0000n],
];

// Said by drivers and the timekeeping when they feel like it.
const NOTES_OF_THE_MACHINE = /^(random: crng init done|clocksource: |tsc: |input: |hrtimer: interrupt took )/;

const NO_REGISTERS: ReadonlySet<string> = new Set();

const REGISTER_LINE = /^(R[A-Z0-9]{2}: [0-9a-f]{16} ?){3}$/;
const FRAME = /^\| <.> {2}\S+\+0x[0-9a-f]+\/0x[0-9a-f]+ \[\w+\]$/;
const USER_HALF = /^(RIP: 0033:|Code: |RSP: 002b:|R[A-Z0-9]{2}: )/;

/** One string a line, made to be compared. */
export function normalise(transcript: string, registers: ReadonlySet<string>): string[] {
  const dump: Dump = { registers, inUserHalf: false, ripInKernel: false, cr2Written: false };
  const lines = transcript
    .replace(/\n$/, '')
    .split('\n')
    .flatMap((line) => {
      if (!line.startsWith('| ')) return [withoutAddresses(line)];
      const [, level = '', text = ''] = /^\| (?:<(.)>)?(?:\[ *\d+\.\d+\] ?)?(.*)$/.exec(line) ?? [];
      const kept = kernelLine(text, dump);
      return kept === undefined ? [] : [`| <${level}> ${kept}`];
    });
  return withoutRepeatedFrames(lines);
}

function withoutRepeatedFrames(lines: readonly string[]): string[] {
  const kept: string[] = [];
  for (let i = 0; i < lines.length; ) {
    const line = lines[i]!;
    let count = 1;
    while (lines[i + count] === line) count++;
    const repeated = count > 8 && FRAME.test(line);
    kept.push(...(repeated ? [`${line} ...`] : lines.slice(i, i + count)));
    i += count;
  }
  return kept;
}

interface Dump {
  readonly registers: ReadonlySet<string>;
  inUserHalf: boolean;
  ripInKernel: boolean;
  cr2Written: boolean;
}

function kernelLine(text: string, dump: Dump): string | undefined {
  if (text.startsWith('RIP: 0033:')) dump.inUserHalf = true;
  if (dump.inUserHalf) {
    if (USER_HALF.test(text)) return undefined;
    dump.inUserHalf = false;
  }
  if (NOTES_OF_THE_MACHINE.test(text) || /^ \? /.test(text)) return undefined;
  if (
    /^(BUG: (kernel NULL|unable to handle)|general protection|invalid opcode|divide error|WARNING: )/.test(
      text,
    )
  ) {
    dump.cr2Written = text.startsWith('BUG: ');
  }
  if (text.startsWith('RIP: ')) dump.ripInKernel = /\+0x[0-9a-f]+\/0x[0-9a-f]+$/.test(text);
  if (text.startsWith('PGD ')) return 'PGD <page tables>';
  if (text.startsWith('FS: ')) return 'FS GS knlGS';
  if (text.startsWith('Code: ')) return codeLine(text, dump);
  const compared = dump.ripInKernel ? NO_REGISTERS : dump.registers;
  if (text.startsWith('RSP: ')) return stackLine(text, compared);
  if (REGISTER_LINE.test(text)) return registerLine(text, compared);
  if (/^CR2: .* CR3: /.test(text)) {
    const [, cr2 = '', cr4 = ''] = /^CR2: (\S+) CR3: \S+ CR4: (\S+)/.exec(text) ?? [];
    return `CR2: ${dump.cr2Written ? withoutAddresses(cr2) : ''} CR3: CR4: ${cr4}`;
  }
  return withoutAddresses(
    text
      .replace(/([\w.]+)\+0x[0-9a-f]+\/0x[0-9a-f]+(?! \[|[0-9a-f])/g, '$1')
      .replace(/\bPID: \d+/, 'PID: <pid>')
      .replace(/^(note: \S+)\[\d+\]/, '$1[<pid>]')
      .replace(/\bkworker\/(u?)(\d+):\d+/, (_, unbound: string, cpu: string) =>
        unbound === '' ? `kworker/${cpu}:<n>` : 'kworker/u<n>:<n>',
      )
      .replace(/ \d+\.\d+\.\S+ #\d+ .*$/, ' <kernel>')
      .replace(/ should be '\S+/, " should be '<kernel>")
      .replace(/^(Hardware name: .* BIOS ).*$/, '$1<bios>')
      .replace(
        /guard page was hit at \S+ \(stack is \S+\)/,
        'guard page was hit at <hashed> (stack is <hashed>)',
      ),
  );
}

function codeLine(text: string, dump: Dump): string {
  if (dump.ripInKernel) return 'Code: <kernel>';
  if (text.includes('Unable to access')) {
    dump.cr2Written = true;
    return withoutAddresses(text);
  }
  return text;
}

function stackLine(text: string, registers: ReadonlySet<string>): string {
  const [, selector = '', flags = '0', rest = ''] =
    /^RSP: ([0-9a-f]{4}):[0-9a-f]{16} EFLAGS: ([0-9a-f]{8})(.*)$/.exec(text) ?? [];
  const compared = registers.has('EFLAGS')
    ? BigInt(`0x${flags}`)
    : BigInt(`0x${flags}`) & ~FLAGS_OF_ARITHMETIC;
  return `RSP: ${selector} EFLAGS: ${compared.toString(16)}${rest}`;
}

function registerLine(text: string, registers: ReadonlySet<string>): string {
  return text
    .replace(/(R[A-Z0-9]{2}): ([0-9a-f]{16})/g, (_, name: string, value: string) =>
      registers.has(name) ? `${name}: ${withoutAddresses(value)}` : `${name}:`,
    )
    .trimEnd();
}

function withoutAddresses(text: string): string {
  return text.replace(/(?<![0-9a-f])[0-9a-f]{16}(?![0-9a-f])/g, (digits) => {
    const address = BigInt(`0x${digits}`);
    const region = REGIONS.find(([, start, end]) => address >= start && address < end);
    if (region === undefined) return digits;
    return region[0] === 'module' ? `<module:${digits.slice(-3)}>` : `<${region[0]}>`;
  });
}
