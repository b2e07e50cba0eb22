import { describe, expect, test } from 'vitest';
import { compareTranscripts } from './compare.ts';
import { normalise } from './normalise.ts';

const NONE: ReadonlySet<string> = new Set();

function same(a: string, b: string, registers: readonly string[] = []): boolean {
  return compareTranscripts(a, b, new Set(registers)) === undefined;
}

describe('these compare equal', () => {
  const pairs: readonly (readonly [what: string, a: string, b: string])[] = [
    ['time stamps', '| <6>[    3.269554] hello', '| <6>[   13.000001] hello'],
    ['PIDs', '| <4>[    1.000000] CPU: 0 PID: 92 Comm: x', '| <4>[    1.000000] CPU: 0 PID: 5 Comm: x'],
    [
      'the PID of a note',
      '| <6>note: insmod[92] exited with irqs disabled',
      '| <6>note: insmod[7] exited with irqs disabled',
    ],
    ['which worker of a CPU', '| <4>Comm: kworker/0:1 Tainted', '| <4>Comm: kworker/0:2 Tainted'],
    ['which unbound worker', '| <4>Comm: kworker/u2:1 Tainted', '| <4>Comm: kworker/u4:2 Tainted'],
    [
      'offsets in functions of the kernel',
      '| <4> do_one_initcall+0x59/0x220',
      '| <4> do_one_initcall+0x5b/0x230',
    ],
    ['frames with a question mark', '| <4> a+0x1/0x2\n| <4> ? b+0x1/0x2', '| <4> a+0x1/0x2'],
    ['frames with a question mark, of a module', '| <4> ? start+0x1/0x2 [m]\n| <4> x', '| <4> x'],
    [
      "the kernel's name of itself",
      '| <4>CPU: 0 PID: 9 Comm: x Tainted: G  OE  6.1.0-56-amd64 #1  Debian 6.1.192-2',
      '| <4>CPU: 0 PID: 9 Comm: x Tainted: G  OE  6.1.0-57-amd64 #1  Debian 6.1.201-1',
    ],
    [
      'the vermagic of the kernel',
      "| <3>x: version magic '1' should be '6.1.0-56-amd64 SMP '",
      "| <3>x: version magic '1' should be '6.1.0-57-amd64 SMP '",
    ],
    [
      'the BIOS',
      '| <4>Hardware name: QEMU PC, BIOS 1.16.2-debian',
      '| <4>Hardware name: QEMU PC, BIOS 1.16.3-debian',
    ],
    ['page tables', '| <6>PGD 0 P4D 0 ', '| <6>PGD 2a15067 P4D 2a15067 PUD 2a17067 PMD 1fe51067 PTE 0'],
    [
      'pages of modules',
      'm 16384 0 - Live 0xffffffffc0201000 (OE)',
      'm 16384 0 - Live 0xffffffffc0999000 (OE)',
    ],
    [
      'the stack',
      '| <4>RSP: 0018:ffffc900005c7cf8 EFLAGS: 00000246',
      '| <4>RSP: 0018:ffffc90000111c00 EFLAGS: 00000202',
    ],
    [
      'registers the module did not write',
      '| <4>RAX: 0000000000000001 RBX: ffffffffc0206000 RCX: 0000000000000000',
      '| <4>RAX: 0000000000000002 RBX: ffff888000000000 RCX: dead000000000000',
    ],
    [
      'FS, GS and CR3',
      '| <4>FS:  00007f7f30cb1040(0000) GS:ffff88801ea00000(0000) knlGS:0000000000000000\n| <4>CR2: 0000000000000001 CR3: 000000001f43c000 CR4: 00000000000006f0',
      '| <4>FS:  0000000000000000(0000) GS:ffff888000000000(0000) knlGS:0000000000000000\n| <4>CR2: 0000000000000002 CR3: 0000000000000000 CR4: 00000000000006f0',
    ],
    [
      'the user half of a call trace',
      '| <4> x\n| <4>RIP: 0033:0x7f7f\n| <4>Code: 08 <48>\n| <4>RSP: 002b:00007ffc0d590a68 EFLAGS: 00000246 ORIG_RAX: 0000000000000139\n| <4>RAX: ffffffffffffffda RBX: 000055f6e1af1490 RCX: 00007f7f30db3829\n| <4> </TASK>',
      '| <4> x\n| <4> </TASK>',
    ],
    [
      'code of the kernel',
      '| <4>RIP: 0010:strcmp+0xc/0x30\n| <4>Code: 75 f7 <0f>',
      '| <4>RIP: 0010:strcmp+0xd/0x40\n| <4>Code: 75 f8 <0f>',
    ],
    ['levels after a panic', '| <?>[    1.000000] Kernel panic', '| <0>[    2.000000] Kernel panic'],
    [
      'how deep endless recursion got',
      '| <4> recurse+0x69/0x76 [m]\n'.repeat(28),
      '| <4> recurse+0x69/0x76 [m]\n'.repeat(30),
    ],
    ['notes of the machine', '| <5>[    9.000000] random: crng init done\n| <6>x', '| <6>x'],
  ];
  test.each(pairs)('%s', (_what, a, b) => {
    expect(compareTranscripts(a, b, NONE)).toBeUndefined();
    expect(compareTranscripts(b, a, NONE)).toBeUndefined();
  });
});

describe('these do not compare equal', () => {
  const fault = '| <1>BUG: kernel NULL pointer dereference, address: 0000000000000018\n';
  const pairs: readonly (readonly [what: string, a: string, b: string])[] = [
    ['levels', '| <6>[    3.269554] hello', '| <4>[    3.269554] hello'],
    ['texts', '| <6>[    3.269554] hello', '| <6>[    3.269554] Hello'],
    ['blanks', '| <4>Tainted: G           OE', '| <4>Tainted: G          OE'],
    ['the order of lines', '| <6>a\n| <6>b', '| <6>b\n| <6>a'],
    ['a line more', '| <6>a', '| <6>a\n| <6>a'],
    ['a line that is a step later', '$ a\n| <6>x\n$ b', '$ a\n$ b\n| <6>x'],
    ['status', '$ a\n[rc=1]', '$ a'],
    ['blocked', '$ a\n[blocked]', '$ a'],
    ['how it died', 'Killed\n[rc=137]', 'Segmentation fault\n[rc=139]'],
    ['offsets in functions of a module', '| <4> start+0xc/0x1000 [m]', '| <4> start+0xd/0x1000 [m]'],
    ['sizes of functions of a module', '| <4> start+0xc/0x1000 [m]', '| <4> start+0xc/0x20 [m]'],
    ['which module', '| <4> start+0xc/0x1000 [m]', '| <4> start+0xc/0x1000 [n]'],
    [
      "names of the kernel's functions",
      '| <4> do_one_initcall+0x59/0x220',
      '| <4> do_init_module+0x59/0x220',
    ],
    ['a frame less', '| <4> a+0x1/0x2\n| <4> b+0x1/0x2', '| <4> a+0x1/0x2'],
    ['a recursion of known depth', '| <4> f+0x1/0x76 [m]\n'.repeat(3), '| <4> f+0x1/0x76 [m]\n'.repeat(4)],
    [
      'a message many times over',
      '| <6>[    1.000000] hello\n'.repeat(10),
      '| <6>[    1.000000] hello\n'.repeat(11),
    ],
    ['a sure and an unsure frame', '| <4> a+0x1/0x2', '| <4> ? a+0x1/0x2'],
    ['the address of a fault', fault, fault.replace('18', '20')],
    [
      'the error code',
      '| <1>#PF: error_code(0x0000) - not-present page',
      '| <1>#PF: error_code(0x0002) - not-present page',
    ],
    [
      'the number of the oops',
      '| <4>Oops: 0000 [#1] PREEMPT SMP NOPTI',
      '| <4>Oops: 0000 [#2] PREEMPT SMP NOPTI',
    ],
    ['taint', '| <4>CPU: 0 PID: 1 Comm: x Tainted: G   OE', '| <4>CPU: 0 PID: 1 Comm: x Tainted: P   OE'],
    ['the command', '| <4>CPU: 0 PID: 1 Comm: insmod', '| <4>CPU: 0 PID: 1 Comm: rmmod'],
    ['a bound and an unbound worker', '| <4>Comm: kworker/0:1', '| <4>Comm: kworker/u2:1'],
    [
      'code of a module',
      '| <4>RIP: 0010:f+0xc/0x30 [m]\n| <4>Code: 75 f7 <0f>',
      '| <4>RIP: 0010:f+0xc/0x30 [m]\n| <4>Code: 75 f8 <0f>',
    ],
    [
      'the place in a page',
      '| <4>Code: Unable to access opcode bytes at 0xffffffffc0205fe2.',
      '| <4>Code: Unable to access opcode bytes at 0xffffffffc0205fe3.',
    ],
    ['where an address lies', '| <4>RIP: 0010:0xffffffffc0206000', '| <4>RIP: 0010:0xffffffff81206000'],
    ['wild addresses', '| <4>RIP: 0010:0xfffff00012345678', '| <4>RIP: 0010:0xfffff00012345679'],
    ['poison', '| <4>address 0xdead000000000100: 0000', '| <4>address 0xdead000000000122: 0000'],
    [
      'flags that are not of arithmetic',
      '| <4>RSP: 0018:ffffc900005c7cf8 EFLAGS: 00000246',
      '| <4>RSP: 0018:ffffc900005c7cf8 EFLAGS: 00000046',
    ],
    [
      'CR2 of a page fault',
      `${fault}| <4>CR2: 0000000000000018 CR3: 000000001f43c000 CR4: 00000000000006f0`,
      `${fault}| <4>CR2: 0000000000000019 CR3: 000000001f43c000 CR4: 00000000000006f0`,
    ],
    [
      'CR4',
      '| <4>CR2: 0000000000000018 CR3: 000000001f43c000 CR4: 00000000000006f0',
      '| <4>CR2: 0000000000000018 CR3: 000000001f43c000 CR4: 00000000000026f0',
    ],
    ['that there is a user half in kernel mode', '| <4>RIP: 0010:f+0x1/0x2 [m]', '| <4>x'],
    [
      'sizes of modules',
      'm 16384 0 - Live 0xffffffffc0201000 (OE)',
      'm 20480 0 - Live 0xffffffffc0201000 (OE)',
    ],
    [
      'flags of modules',
      'm 16384 0 - Live 0xffffffffc0201000 (OE)',
      'm 16384 0 - Live 0xffffffffc0201000 (POE)',
    ],
    [
      'states of modules',
      'm 16384 0 - Live 0xffffffffc0201000 (OE)',
      'm 16384 0 - Loading 0xffffffffc0201000 (OE)',
    ],
    [
      "a module's vermagic",
      "| <3>x: version magic '6.5.0 SMP ' should be '6.1.0'",
      "| <3>x: version magic '6.6.0 SMP ' should be '6.1.0'",
    ],
    ['lines of the log after a panic', '| <?>[    1.000000] Kernel panic', '| <0>[    1.000000] Kernel oops'],
    ['numbers in a message', '| <6>[    1.000000] x: 16', '| <6>[    1.000000] x: 17'],
    ['a loaded module in the list', '| <4>Modules linked in: m(OE+)', '| <4>Modules linked in: m(OE)'],
  ];
  test.each(pairs)('%s', (_what, a, b) => {
    expect(compareTranscripts(a, b, NONE)).toBeDefined();
    expect(compareTranscripts(b, a, NONE)).toBeDefined();
  });
});

test('registers that the case names are compared', () => {
  const line = (rax: string): string => `| <4>RAX: ${rax} RBX: 0000000000000000 RCX: 0000000000000000`;
  expect(same(line('0000000000000001'), line('0000000000000002'))).toBe(true);
  expect(same(line('0000000000000001'), line('0000000000000002'), ['RAX'])).toBe(false);
  expect(same(line('ffffffffc0202018'), line('ffffffffc0303018'), ['RAX'])).toBe(true);
  expect(same(line('ffffffffc0202018'), line('ffffffffc0202020'), ['RAX'])).toBe(false);
  const inKernel = (rax: string): string => `| <4>RIP: 0010:native_safe_halt+0xb/0x10\n${line(rax)}`;
  expect(same(inKernel('0000000000000001'), inKernel('0000000000000002'), ['RAX'])).toBe(true);
  const flags = (value: string): string => `| <4>RSP: 0018:ffffc900005c7cf8 EFLAGS: ${value}`;
  expect(same(flags('00000246'), flags('00000202'), ['EFLAGS'])).toBe(false);
});

test('CR2 is compared after a look at code that is not there, and not after a warning', () => {
  const cr2 = (value: string): string => `| <4>CR2: ${value} CR3: 0000000000000000 CR4: 00000000000006f0`;
  const bug =
    '| <4>invalid opcode: 0000 [#1]\n| <4>Code: Unable to access opcode bytes at 0xffffffffc0205fe2.\n';
  expect(same(bug + cr2('ffffffffc0205fe2'), bug + cr2('0000000000000000'))).toBe(false);
  const warning = '| <4>WARNING: CPU: 0 PID: 1 at x.c:1 f+0x1/0x2 [m]\n';
  expect(same(warning + cr2('00007f0000000000'), warning + cr2('0000000000000000'))).toBe(true);
});

test('a difference is shown with its signs', () => {
  expect(compareTranscripts('$ a\n| <6>x', '$ a\n| <6>y', NONE)).toBe('    $ a\n  - | <6> x\n  + | <6> y');
});

test('what is left can be read', () => {
  expect(
    normalise('| <4>[    3.2] RIP: 0010:start+0xc/0x1000 [m]\nm 16384 Live 0xffffffffc0201000\n', NONE),
  ).toEqual(['| <4> RIP: 0010:start+0xc/0x1000 [m]', 'm 16384 Live 0x<module:000>']);
});
