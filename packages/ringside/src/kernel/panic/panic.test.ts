import { describe, expect, test } from 'vitest';
import {
  buildFlags,
  diesWithIrqsDisabled,
  dumpStack,
  type Fault,
  formatOops,
  formatPanic,
  formatTaskDeath,
  formatWarning,
  type LogLine,
  type PageTableEntry,
  printModules,
  printTainted,
} from './index.ts';
import { type Recording, readRecording } from './recording.fixture.ts';

const flags = buildFlags(
  new Map([
    ['CONFIG_PREEMPTION', 'y'],
    ['CONFIG_SMP', 'y'],
    ['CONFIG_PAGE_TABLE_ISOLATION', 'y'],
  ]),
  false,
);

/** Debian's CONFIG_MESSAGE_LOGLEVEL_DEFAULT. */
const DEFAULT_LEVEL = 4;

function expectRecorded(lines: readonly LogLine[], recording: Recording): void {
  const printed = lines.map(({ level, text }) => ({
    level: level === 'default' ? DEFAULT_LEVEL : level,
    text,
  }));
  const hasLevels = recording.lines[0]!.level !== undefined;
  expect(hasLevels ? printed : printed.map(({ text }) => ({ level: undefined, text }))).toEqual(
    recording.lines,
  );
}

const table = (...values: bigint[]): PageTableEntry[] =>
  values.map((value, index) => ({ level: (['PGD', 'P4D', 'PUD', 'PMD', 'PTE'] as const)[index]!, value }));
const pageFault = (
  address: bigint,
  errorCode: number,
  ...values: bigint[]
): Fault & { kind: 'page-fault' } => ({
  kind: 'page-fault',
  address,
  errorCode,
  pageTable: table(...values),
});

describe('an oops reads as the real kernel’s', () => {
  const mapped = [0x2a15067n, 0x2a15067n, 0x2a17067n, 0x6880067n];
  test.each<[name: string, from: string, count: number, fault: Fault]>([
    ['null-read', 'BUG: ', 1, pageFault(0x18n, 0, 0n, 0n)],
    ['bug', '-----', 2, { kind: 'bug', file: 'modules/oops/bug.c', line: 11 }],
    ['div-zero', 'divide', 4, { kind: 'trap', name: 'divide error', errorCode: 0 }],
    ['wild-jump', 'BUG: ', 5, pageFault(0xffffc90012345678n, 0x10, 0x4800067n, 0x4800067n, 0x49b1067n, 0n)],
    [
      'wild-pointer',
      'general',
      6,
      {
        kind: 'general-protection',
        errorCode: 0,
        operand: { address: 0xdead000000000108n, canonical: false },
      },
    ],
    ['null-call', 'BUG: ', 7, pageFault(0n, 0x10, 0n, 0n)],
    [
      'data-call',
      'kernel tried',
      8,
      { ...pageFault(0xffffffffc0256008n, 0x11, ...mapped, 0x80000000068d8163n), notExecutable: { uid: 0 } },
    ],
    ['text-write', 'BUG: ', 10, pageFault(0xffffffffc0266000n, 3, ...mapped, 0x68ec161n)],
    ['work-oops', 'BUG: ', 12, pageFault(0n, 2, 0n, 0n)],
    ['timer-oops', 'BUG: ', 1, pageFault(0n, 2, 0x1fe52067n, 0x1fe52067n, 0x1fe20067n, 0n)],
    [
      'stack-overflow',
      'BUG: ',
      1,
      {
        kind: 'stack-overflow',
        stack: 'TASK',
        address: '(____ptrval____)',
        begin: '(____ptrval____)',
        end: '(____ptrval____)',
      },
    ],
  ])('%s', (name, from, count, fault) => {
    const recording = readRecording(name, from);
    const { task, dump, trace, modules, summary } = recording;
    expectRecorded(
      formatOops({ fault, count, flags, task, dump, trace, modules, summary: summary! }),
      recording,
    );
  });
});

describe('a warning reads as the real kernel’s', () => {
  test.each([
    ['warn', '-----', 'modules/warn/warn.c', 10, false],
    ['warn-message', 'WARNING', 'modules/warn/warn-message.c', 13, true],
    ['timer-warn', '-----', 'modules/oops/timer-warn.c', 11, false],
  ])('%s', (name, from, file, line, cutHereShown) => {
    const recording = readRecording(name, from);
    const { task, dump, trace, modules } = recording;
    const symbol = dump.symbol;
    expectRecorded(
      formatWarning({ file, line, symbol, cutHereShown, task, dump, trace, modules }),
      recording,
    );
  });

  test('out of a plain call it has a stack dump in place of registers', () => {
    const { task, trace, modules } = readRecording('warn', '-----');
    const warning = { file: undefined, line: 0, symbol: 'f+0x1/0x2', cutHereShown: true, task, modules };
    const lines = formatWarning({ ...warning, dump: undefined, trace });
    expect(lines[0]!.text).toBe('WARNING: CPU: 0 PID: 100 at f+0x1/0x2');
    expect(lines.slice(2, -1)).toEqual(dumpStack(task, trace));
  });
});

describe('page faults', () => {
  const { task, dump, trace, modules } = readRecording('null-read', 'BUG: ');
  const first = (fault: Fault, count = 4) =>
    formatOops({ fault, count: 1, flags, task, dump, trace, modules, summary: dump })
      .slice(0, count)
      .map(({ text }) => text);

  test('are NULL dereferences on the first page only', () => {
    expect(first(pageFault(0xfffn, 0), 1)).toEqual([
      'BUG: kernel NULL pointer dereference, address: 0000000000000fff',
    ]);
    expect(first(pageFault(0x1000n, 0), 1)).toEqual([
      'BUG: unable to handle page fault for address: 0000000000001000',
    ]);
  });

  test('say why in the order of the error code’s bits', () => {
    expect(first(pageFault(0x1000n, 0x9))[2]).toBe('#PF: error_code(0x0009) - reserved bit violation');
    expect(first(pageFault(0x1000n, 0x21))[2]).toBe('#PF: error_code(0x0021) - protection keys violation');
    expect(first(pageFault(0x1000n, 0x6))[1]).toBe('#PF: user write access in kernel mode');
  });

  test('of user mode show the short registers and no trace', () => {
    const user = { ...dump, regs: { ...dump.regs, cs: 0x33 } };
    const lines = formatOops({
      fault: pageFault(0n, 4),
      count: 1,
      flags,
      task,
      dump: user,
      trace,
      modules,
      summary: dump,
    });
    const texts = lines.map(({ text }) => text);
    expect(texts).toContain('BUG: unable to handle page fault for address: 0000000000000000');
    expect(texts).not.toContain('Call Trace:');
  });
});

test('code that cannot be read below the kernel half leaves CR2 alone', () => {
  const { task, dump, trace, modules } = readRecording('null-read', 'BUG: ');
  const wild = {
    ...dump,
    regs: { ...dump.regs, ip: 0x12345678n },
    system: { ...dump.system, cr2: 0x12345678n },
  };
  const oops = { fault: pageFault(0x12345678n, 0x10), count: 1, flags, task, trace, modules, summary: dump };
  const texts = (code: typeof dump) => formatOops({ ...oops, dump: code }).map(({ text }) => text);
  expect(texts(wild).find((text) => text.startsWith('CR2: '))).toMatch(/^CR2: 0000000012345678 /);
  const partly = { ...dump, codeFault: 0xffffffffc0207000n };
  expect(texts(partly).find((text) => text.startsWith('CR2: '))).toMatch(/^CR2: ffffffffc0207000 /);
});

test('the build flags follow the configuration', () => {
  expect(buildFlags(new Map(), true)).toEqual({ preempt: '', smp: false, pti: undefined });
  const realtime = new Map([
    ['CONFIG_PREEMPTION', 'y'],
    ['CONFIG_PREEMPT_RT', 'y'],
  ]);
  expect(buildFlags(realtime, true).preempt).toBe('PREEMPT_RT');
});

test('taints are letters in the order of their bits', () => {
  expect(printTainted(0)).toBe('Not tainted');
  expect(printTainted(1)).toBe(`Tainted: P${' '.repeat(18)}`);
  expect(printTainted((1 << 12) | (1 << 13))).toBe(`Tainted: G${' '.repeat(11)}OE${' '.repeat(5)}`);
});

test('the list of modules ends with the last unloaded', () => {
  const modules = [{ name: 'a', taints: '' }];
  expect(printModules({ modules, lastUnloaded: { name: 'b', taints: 'OE' } }).text).toBe(
    'Modules linked in: a [last unloaded: b(OE)]',
  );
  expect(printModules({ modules: [{ name: 'c', taints: '', state: 'going' }] }).text).toBe(
    'Modules linked in: c(-)',
  );
});

describe('the end of the task', () => {
  test.each<[name: string, fault: Fault, hasMm: boolean]>([
    ['null-read', pageFault(0x18n, 0), true],
    ['wild-jump', pageFault(0xffffc90012345678n, 0x10), true],
    ['null-call', pageFault(0n, 0x10), true],
    ['text-write', pageFault(0xffffffffc0266000n, 3), true],
    ['wild-pointer', { kind: 'general-protection', errorCode: 0 }, true],
    ['bug', { kind: 'bug', file: '', line: 0 }, true],
    ['work-oops', pageFault(0n, 2), false],
  ])('is noted as in the recording of %s', (name, fault, hasMm) => {
    const { task, after } = readRecording(name, 'CPU: ');
    const irqsDisabled = diesWithIrqsDisabled(fault, { irqsEnabled: true, hasMm, pageFaultsDisabled: false });
    const notes = formatTaskDeath({ ...task, irqsDisabled, preemptCount: 0 });
    expect(notes.map(({ text }) => text)).toEqual(after.filter((text) => text.startsWith('note:')));
  });

  test('tells of a preemption count that is not 0', () => {
    const lines = formatTaskDeath({ comm: 'a', pid: 7, irqsDisabled: true, preemptCount: 2 });
    expect(lines).toEqual([
      { level: 6, text: 'note: a[7] exited with irqs disabled' },
      { level: 6, text: 'note: a[7] exited with preempt_count 2' },
    ]);
  });

  test('in an interrupt is a panic', () => {
    const texts = (timeoutSeconds: number) =>
      formatPanic('Fatal exception in interrupt', { timeoutSeconds }).map(({ text }) => text);
    const head = ['Kernel panic - not syncing: Fatal exception in interrupt', 'Kernel Offset: disabled'];
    expect(texts(-1)).toEqual(head);
    expect(texts(0)).toEqual([
      ...head,
      '---[ end Kernel panic - not syncing: Fatal exception in interrupt ]---',
    ]);
    expect(texts(10)).toEqual([...head, 'Rebooting in 10 seconds..']);
  });
});
