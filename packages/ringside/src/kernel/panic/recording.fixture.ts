import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TraceItem } from './call-trace.ts';
import type { LinkedModules } from './modules-linked-in.ts';
import type { PtRegs, RegisterDump, SystemRegisters } from './registers.ts';
import type { TaskInfo } from './task-info.ts';

/**
 * Takes a report of the real kernel apart into the data it was made of, so that tests can put it together again.
 * The recordings in fixtures/ are of Debian's 6.1 under QEMU with `nokaslr` and the modules of modules/, each line
 * with its level as `dmesg --raw` gives it (without levels where the machine did not live to tell).
 */
export interface Recording {
  readonly lines: readonly { readonly level: number | undefined; readonly text: string }[];
  readonly task: TaskInfo;
  readonly dump: RegisterDump;
  readonly summary: RegisterDump | undefined;
  readonly trace: readonly TraceItem[];
  readonly modules: LinkedModules;
  /** What was logged after the report. */
  readonly after: readonly string[];
}

const TAINTS = 'PFSRMBUDAWCIOELKXTN';
const bits = (text: string): bigint => BigInt(`0x${text}`);

/** `from` and `to` choose the part of the recording: the lines from the first that begins with `from`. */
export function readRecording(name: string, from: string): Recording {
  const text = readFileSync(join(import.meta.dirname, `fixtures/${name}.txt`), 'utf8');
  const all = text
    .split('\n')
    .slice(0, -1)
    .map((raw) => {
      const [, level, rest] = /^(?:<(\d)>)?(.*)$/.exec(raw)!;
      return { level: level === undefined ? undefined : Number(level), text: rest! };
    });
  const start = all.findIndex((line) => line.text.startsWith(from));
  const endMark = all.findIndex((line, index) => index > start && line.text.startsWith('---[ end trace'));
  const isOops = all[endMark + 1]?.text.startsWith('RIP: ') ?? false;
  const end = isOops
    ? all.findIndex((line, index) => index > endMark && line.text.startsWith('CR2: '))
    : endMark;
  const lines = all.slice(start, end + 1);
  const texts = lines.map((line) => line.text);
  const traceStart = texts.indexOf('Call Trace:');
  const traceEnd = texts.lastIndexOf(' </TASK>');
  const marker = endMark - start;
  return {
    lines,
    task: readTask(texts),
    dump: readDump(texts.slice(0, traceStart)),
    summary: isOops ? readDump(texts.slice(marker)) : undefined,
    trace: readTrace(texts.slice(traceStart + 1, traceEnd + 1)),
    after: all.slice(end + 1).map((line) => line.text),
    modules: readModules(texts.find((line) => line.startsWith('Modules linked in:'))!),
  };
}

function readTask(texts: readonly string[]): TaskInfo {
  const line = texts.find((text) => text.startsWith('CPU: '))!;
  const [, cpu, pid, comm, taints, release, build, packaged] =
    /^CPU: (\d+) PID: (\d+) Comm: (\S+) Tainted: (.{19}) (\S+) (#\d+) {2}(.*)$/.exec(line)!;
  const mask = [...TAINTS].reduce(
    (sum, letter, bit) => (taints![bit] === letter ? sum | (1 << bit) : sum),
    0,
  );
  const work = /^Workqueue: (\S+) (.*)$/.exec(texts.find((text) => text.startsWith('Workqueue: ')) ?? '');
  const worker = work === null ? {} : { worker: { name: work[1]!, work: work[2]!, description: work[1]! } };
  return {
    cpu: Number(cpu),
    pid: Number(pid),
    comm: comm!,
    tainted: mask,
    release: release!,
    version: `${build} SMP PREEMPT_DYNAMIC ${packaged} (2000-01-01)`,
    hardwareName: texts.find((text) => text.startsWith('Hardware name: '))!.slice(15),
    ...worker,
  };
}

function readDump(texts: readonly string[]): RegisterDump {
  const text = texts.join('\n');
  const value = (pattern: RegExp): bigint => bits(pattern.exec(text)?.[1] ?? '0');
  const register = (name: string): bigint => value(new RegExp(`\\b${name}: ([0-9a-f]{16})`));
  const rip = /^RIP: ([0-9a-f]{4}):(.*)$/m.exec(text)!;
  const unreadable = /^Code: Unable to access opcode bytes at 0x([0-9a-f]+)/m.exec(text)?.[1];
  const code = /^Code: ((?:[0-9a-f]{2} |<[0-9a-f]{2}> )+[0-9a-f]{2})$/m.exec(text)?.[1];
  const regs: PtRegs = {
    ax: register('RAX'),
    bx: register('RBX'),
    cx: register('RCX'),
    dx: register('RDX'),
    si: register('RSI'),
    di: register('RDI'),
    bp: register('RBP'),
    r8: register('R08'),
    r9: register('R09'),
    r10: register('R10'),
    r11: register('R11'),
    r12: register('R12'),
    r13: register('R13'),
    r14: register('R14'),
    r15: register('R15'),
    orig_ax: /ORIG_RAX/.test(text) ? register('ORIG_RAX') : 2n ** 64n - 1n,
    // RIP itself is only printed as a symbol, but the address of the code that cannot be read tells it.
    ip: unreadable === undefined ? 0n : BigInt.asUintN(64, bits(unreadable) + 42n),
    cs: Number(bits(rip[1]!)),
    flags: value(/EFLAGS: ([0-9a-f]+)/),
    sp: value(/RSP: [0-9a-f]{4}:([0-9a-f]+)/),
    ss: Number(value(/RSP: ([0-9a-f]{4})/)),
  };
  const system: SystemRegisters = {
    fsBase: value(/FS: {2}([0-9a-f]+)/),
    fsIndex: Number(value(/FS: {2}[0-9a-f]+\(([0-9a-f]+)/)),
    gsBase: value(/GS:([0-9a-f]+)/),
    gsIndex: Number(value(/GS:[0-9a-f]+\(([0-9a-f]+)/)),
    kernelGsBase: value(/knlGS:([0-9a-f]+)/),
    ds: Number(value(/DS: ([0-9a-f]+)/)),
    es: Number(value(/ES: ([0-9a-f]+)/)),
    cr0: register('CR0'),
    cr2: code === undefined ? 0n : register('CR2'),
    cr3: register('CR3'),
    cr4: register('CR4'),
  };
  const bytes =
    code && Uint8Array.from(code.split(' '), (byte) => Number.parseInt(byte.replace('<', ''), 16));
  return { regs, symbol: rip[2]!, code: bytes || undefined, system };
}

function readTrace(texts: readonly string[]): TraceItem[] {
  const items: TraceItem[] = [];
  for (let index = 0; index < texts.length; index += 1) {
    const text = texts[index]!;
    const frame = /^ (\? )?([^<].*)$/.exec(text);
    if (text.startsWith('RIP: ')) {
      items.push({ kind: 'registers', dump: readDump(texts.slice(index, index + 8)) });
      index += 7;
    } else if (frame !== null) {
      items.push({ kind: 'frame', symbol: frame[2]!, reliable: frame[1] === undefined });
    } else {
      items.push({ kind: 'mark', text: text.trim() });
    }
  }
  return items;
}

function readModules(text: string): LinkedModules {
  const modules = text
    .slice('Modules linked in: '.length)
    .split(' ')
    .map((word) => {
      const [, name, taints, sign] = /^([^(]+)(?:\(([A-Z]*)([+-]?)\))?$/.exec(word)!;
      const state = sign === '+' ? 'coming' : sign === '-' ? 'going' : undefined;
      return {
        name: name!,
        taints: taints ?? '',
        ...(state === undefined ? {} : { state: state as 'coming' | 'going' }),
      };
    });
  return { modules };
}
