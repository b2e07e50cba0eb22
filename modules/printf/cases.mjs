// What the real kernel is asked: formats with their arguments, texts to scan, numbers to parse. `generate.mjs`
// makes C of it, `fixture.mjs` joins it with the recorded answers.
//
// Arguments: numbers and bigints as they are; the objects below become pointers to constants.
export const str = (text) => ({ str: text });
export const bytes = (...list) => ({ bytes: list });
export const u64s = (...list) => ({
  bytes: list.flatMap((v) => [...Array(8).keys()].map((i) => Number((BigInt(v) >> BigInt(8 * i)) & 0xffn))),
});
export const u32 = (v) => ({ bytes: [0, 8, 16, 24].map((s) => (v >>> s) & 0xff) });
export const struct = (name, fields) => ({ struct: name, fields });
export const symbol = (name, offset = 0) => ({ symbol: name, offset });
const M1 = 2n ** 64n - 1n;

const formats = [];
const f = (fmt, ...args) => formats.push({ fmt, size: 400, args });
const sized = (size, fmt, ...args) => formats.push({ fmt, size, args });

// integers
for (const spec of [
  'd',
  '5d',
  '-5d',
  '05d',
  '+d',
  ' d',
  '+05d',
  '% 5d'.slice(1),
  '.3d',
  '8.3d',
  '08.3d',
  '-8.3d|',
  '-08d|',
  '.0d',
  '#d',
  '+ d',
  '- 6d|',
])
  for (const v of [0, 42, -42]) f(`[%${spec}]`, v);
for (const spec of [
  'x',
  'X',
  '#x',
  '#X',
  '08x',
  '#08x',
  '#10x',
  '.4x',
  '#.4x',
  '-#8x|',
  '#-08x|',
  '#10.6x',
  'o',
  '#o',
  '#5o',
  '05o',
  '#05o',
  '-#6o|',
  '.5o',
  '+x',
  ' x',
])
  for (const v of [0, 0x2af]) f(`[%${spec}]`, v);
for (const q of ['hh', 'h', '', 'l', 'll', 'L', 'z', 't'])
  for (const c of ['d', 'u', 'x', 'o', 'i']) f(`%${q}${c}`, 0x8000_8080_ffff_fff0n);
f('%d %d', 2147483647, -2147483648);
f('%u %llu', M1, M1);
f('%lld %lld', 2n ** 63n, 2n ** 63n - 1n);
f('%*d|%-*d|%*d', 6, 1, 6, 2, -6, 3);
f('%.*d|%.*d|%*.*d', 3, 7, -3, 7, 8, 3, 5);
f('%0*d|%+*d', 6, 42, 6, 42);
f('%100d', 5);
f('%-100d|', 5);
f('%0100d', -5);
f('%.50d', 9);
f('%16777217d|', 5); // wraps in 24 bits: width 1
f('%33554436d|', 5);
f('%.65540d|', 5); // wraps in 16 bits: precision 4
f('%.40000d|', 5);
f('%8388608d|', 5);
f('%  d|%++d|%--5d|%##x|%005d', 1, 2, 3, 4, 5);
f('%-+5d|%+-5d|%0-5d|% 05d', 1, 2, 3, 4);
// characters and strings
f('%c%c%c', 65, 66, 0x141);
f('[%5c][%-5c][%05c][%.0c]', 65, 66, 67, 68);
f('[%*c][%*c]', 4, 65, -4, 66);
f('[%c]', 0);
f('[%lc]', 0x100 + 65);
f('[%s]', str('hello'));
f('[%10s][%-10s][%010s][%+s][%#s]', str('ab'), str('cd'), str('ef'), str('gh'), str('ij'));
f('[%.2s][%.0s][%.9s][%.s]', str('abcdef'), str('abcdef'), str('abc'), str('xyz'));
f('[%8.3s][%-8.3s]', str('abcdef'), str('abcdef'));
f('[%*s][%*s][%.*s][%.*s]', 6, str('ab'), -6, str('cd'), 2, str('efgh'), -1, str('ijkl'));
f('[%s]', str('\x01\x7f\x80\xff'));
f('[%ls][%hs]', str('wide'), str('half'));
f('[%s][%10s][%-10s][%.3s][%3s]', 0, 0, 0, 0, 0);
f('[%s][%s][%s][%10s]', 1, 4095, -1, -22);
f('[%s][%.3s]', -4095, -4095);
f('%%[%5%][%-5%]');
f('%');
f('abc%');
f('%5');
f('%.');
f('%l');
f('%-');
f('a%nb%dc', 1, 2);
f('a%yb', 1);
f('a%Zd', 1);
f('a%LLd', 1);
f('a%zzd', 1);
f('a%qd', 1);
f('a%jd', 1);
f('a%fb', 1);
f('a%eb', 1);
f('a%gb', 1);
f('%d%%%s%%%c', 1, str('x'), 66);
f('');
f('no conversion \xe9');
f('%d %d %d %d %d %d %d %d', 1, 2, 3, 4, 5, 6, 7, 8);
// truncation
for (const n of [0, 1, 2, 5, 6, 7, 10]) sized(n, 'hello %d', 42);
for (const n of [0, 1, 4, 8]) sized(n, '[%8s]', str('abcdef'));
for (const n of [1, 3, 6]) sized(n, '%-8s|', str('ab'));
for (const n of [0, 3, 7]) sized(n, '%#010x', 0xabc);
for (const n of [4, 9]) sized(n, '%pM', bytes(1, 2, 3, 4, 5, 6));
for (const n of [3, 8, 12]) sized(n, '%6phC', bytes(1, 2, 3, 4, 5, 6));
for (const n of [3, 6]) sized(n, '%8c|', 65);
sized(5, '%*pbl', 64, u64s(0xff0fn));
sized(4, '%*pE', 4, str('\n\t\r\v'));
// pointers
for (const spec of ['px', '20px', '-20px', '020px', '#px', '#20px', '5px', '.20px', '+px'])
  for (const v of [0n, 0x1234n, 0xffff_8880_1234_5678n]) f(`[%${spec}]`, v);
for (const spec of ['p', '20p', '-20p', '#p', '5p', 'pK', '20pK', 'pZ', 'pk', 'p1', 'p_'])
  for (const v of [0n, M1, M1 - 4094n]) f(`[%${spec}]`, v);
f('[%pe][%pe][%pe][%10pe][%-10pe][%.3pe]', -22, -517, 0, -1, -2, -12);
f('[%pe][%+pe][%5pe]', -1234, -4095, -600);
for (let start = 1; start <= 553; start += 8)
  f('%pe %pe %pe %pe %pe %pe %pe %pe', ...[...Array(8).keys()].map((i) => -(start + i)));
f('[%pks][%pus][%pk][%px]', str('kernel'), str('user'), 0, 0);
f('[%pkx][%pux][%10pks]', 5, 5, str('ab'));
f('[%pA]', 5);
// symbols
for (const spec of [
  'pS',
  'ps',
  'pB',
  'pSR',
  'psR',
  'pSb',
  'pSRb',
  'pBb',
  '40pS',
  '-40pS|',
  '.6pS',
  '12.4ps|',
  'pf',
])
  f(`[%${spec}]`, symbol('vsnprintf', spec.includes('F') || spec.includes('pf') ? 0 : 5));
f('[%pS][%pB]', symbol('vsnprintf'), symbol('vsnprintf'));
f('[%pS][%ps][%pB]', symbol('pf_symbol', 3), symbol('pf_symbol', 3), symbol('pf_symbol', 3));
f('[%pS][%ps][%pB]', 0x1234, 0x1234, 0x1234);
f('[%pS][%ps]', 0, -1);
// bytes
const mac = bytes(0x00, 0x1a, 0x2b, 0x3c, 0x4d, 0xfe);
for (const spec of ['pM', 'pMR', 'pMF', 'pm', 'pmR', 'pmF', '20pM', '-20pM|', '.5pM']) f(`[%${spec}]`, mac);
f('[%pM][%pm]', 0, -5);
const long = bytes(...[...Array(80).keys()].map((i) => (i * 7) & 0xff));
for (const spec of ['*ph', '*phC', '*phD', '*phN'])
  for (const n of [0, 1, 6, 64, 80, -3]) f(`[%${spec}]`, n, long);
f('[%ph][%5ph][%-5ph][%05phN]', long, long, long, long);
f('[%*ph][%0ph][%8ph]', 4, 0, long, 7);
const uuid = bytes(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 255);
for (const spec of ['pU', 'pUb', 'pUB', 'pUl', 'pUL', 'pUx', '40pU', '-40pUl|', '.8pU'])
  f(`[%${spec}]`, uuid);
f('[%pU]', 0);
const bits = u64s(0x8000_0000_00f0_000dn, 0x3n, 0xffff_ffff_ffff_ffffn);
for (const n of [0, 1, 3, 4, 8, 31, 32, 33, 64, 65, 70, 128, 130, 192, -8])
  f('[%*pb][%*pbl]', n, bits, n, bits);
f('[%8pb][%16pbl][%pb][%pbl]', bits, bits, bits, bits);
f('[%*pbl]', 64, u64s(0n));
f('[%8pb][%8pbl]', 0, 0);
// addresses
f('[%pa][%pap][%pad][%pax][%20pa]', u64s(0x1234n), u64s(M1), u64s(0n), u64s(7n), u64s(1n));
f('[%pa]', 0);
f('[%pNF][%pNx][%pN]', u64s(0x5_0000_4000n), u64s(1n), u64s(1n));
f('[%pNF]', -14);
// IP
const ip4 = bytes(1, 20, 123, 255);
for (const spec of [
  'pI4',
  'pi4',
  'pI4h',
  'pI4n',
  'pI4b',
  'pI4l',
  'pi4h',
  'pi4l',
  '20pI4',
  '-20pI4|',
  '.4pI4',
  'pI',
  'pi',
  'pI5',
  'pix',
])
  f(`[%${spec}]`, ip4);
f('[%pI4][%pI6][%pIS]', 0, 0, 0);
const ip6s = [
  [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
  [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
  [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
  [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 192, 0, 2, 33],
  [0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0x5e, 0xfe, 10, 0, 0, 1],
  [0xfe, 0x80, 0, 0, 0, 0, 0, 0, 2, 0, 0x5e, 0xfe, 10, 0, 0, 1],
  [0, 1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0],
  [0, 1, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 3, 0, 4],
  [0xab, 0xcd, 0x0e, 0xf0, 0, 0x12, 0, 0, 0x34, 0x56, 0, 7, 0x89, 0xab, 0, 0],
  [0, 0, 0, 0, 0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6],
  [0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 0, 0, 0],
  [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 192, 0, 2, 33],
];
for (const ip of ip6s)
  f('[%pI6][%pi6][%pI6c][%pi6c]', bytes(...ip), bytes(...ip), bytes(...ip), bytes(...ip));
f('[%50pI6][%-50pI6c|][%.7pI6]', bytes(...ip6s[0]), bytes(...ip6s[0]), bytes(...ip6s[0]));
const sin = bytes(2, 0, 0x1f, 0x90, 10, 0, 0, 200, 0, 0, 0, 0, 0, 0, 0, 0);
const sin6 = bytes(10, 0, 0x1f, 0x90, 0xf1, 2, 3, 4, ...ip6s[0], 7, 1, 0, 0);
for (const spec of [
  'pIS',
  'piS',
  'pISp',
  'pISh',
  'piSn',
  'pISlp',
  'pISpc',
  'pISpsf',
  '30pIS',
  'pISc',
  'pISpfsc',
  'piSc',
  'piSpc',
  'pISx',
])
  f(`[%${spec}][%${spec}]`, sin, sin6);
f('[%10pISp][%.9pISp]', sin, sin);
f('[%pISp][%pIS]', bytes(1, 0, 0, 0), bytes(0, 0, 0, 0));
// escapes
const rough = str('a\n\r\t\v\f\\"\x07\x1b\x7f\x80\xa0\xff');
for (const flags of [
  '',
  'a',
  'c',
  'h',
  'n',
  'o',
  'p',
  's',
  'ap',
  'hp',
  'ns',
  'csn',
  'ah',
  'hn',
  'pn',
  'x',
  'ch',
  'sh',
])
  f(`[%14pE${flags}]`, rough);
f('[%*pE][%*pEh][%pE][%0pE]', 3, bytes(0, 1, 0x41), 3, bytes(0, 1, 0x41), rough, rough);
f('[%4pE]', 0);
f('[%-4pE][%4.2pE]', rough, rough);
// resources
const res = (start, end, flags) => struct('resource', { start, end, flags });
for (const [start, end, flags] of [
  [0x3f8n, 0x3ffn, 0x100n],
  [0xfe00_0000n, 0xfe0f_ffffn, 0x200n],
  [0x1_0000_0000n, 0x1_ffff_ffffn, 0x0010_2200n],
  [9n, 9n, 0x400n],
  [9n, 11n, 0x400n],
  [2n, 2n, 0x800n],
  [0n, 0xffn, 0x1000n],
  [0n, 0xffn, 0x2000_0200n],
  [0n, 7n, 0x2000_0100n],
  [0x1000n, 0x1fffn, 0x1020_0200n],
  [1n, 2n, 0n],
  [0n, 0n, 0x300n],
  [0n, 0n, 0x8000_0200n],
  [5n, 3n, 0x2000_0400n],
  [0n, M1, 0x200n],
  [3n, 3n, 0x2000_1000n],
])
  f('[%pR][%pr][%40pR|%-60pr|%.8pR]', ...Array(5).fill(res(start, end, flags)));
f('[%pR][%pr]', 0, -1);
// time
const rtc = (y, mo, d, h, mi, s) =>
  struct('rtc_time', { tm_year: y, tm_mon: mo, tm_mday: d, tm_hour: h, tm_min: mi, tm_sec: s });
for (const v of ['', 'd', 't', 'r', 's', 'rs', 'sr', 'dr', 'tr', 'ds', 'x', 'dt'])
  f(`[%ptR${v}]`, rtc(119, 0, 4, 5, 6, 7));
f(
  '[%ptR][%ptRr][%ptR][%20ptR]',
  rtc(-1901, 11, 31, 23, 59, 60),
  rtc(-1, 0, 0, 0, 0, 0),
  rtc(8100, 15, 40, -1, 100, 7),
  rtc(70, 0, 1, 0, 0, 0),
);
for (const t of [
  0n,
  951782399n,
  951782400n,
  951868800n,
  4107542399n,
  1546616767n,
  253402300799n,
  253402300800n,
  67767976233532799n,
  -1n,
  -86400n,
  -86401n,
  -62135596800n,
  -62167219200n,
  -62198755200n,
  4102444800n,
])
  f('[%ptT][%ptTr][%ptTs][%ptTd][%ptTt]', ...Array(5).fill(u64s(t & M1)));
f('[%pt][%ptX][%ptR]', u64s(0n), u64s(0n), 0);
// names
const root = struct('dentry', { d_parent: 'self', 'd_name.name': str('/') });
const foo = struct('dentry', { d_parent: root, 'd_name.name': str('foo') });
const bar = struct('dentry', { d_parent: foo, 'd_name.name': str('bar.txt') });
const baz = struct('dentry', { d_parent: bar, 'd_name.name': str('') });
for (const spec of ['pd', 'pd1', 'pd2', 'pd3', 'pd4', 'pd5', '12pd2', '-12pd2|', '.5pd3', '.0pd'])
  f(`[%${spec}]`, bar);
f('[%pd][%pd2][%pd2][%pd3][%pd4]', root, root, foo, baz, baz);
f('[%pd][%pd2][%pd3]', 0, -1, struct('dentry', { d_parent: 0, 'd_name.name': str('orphan') }));
for (const spec of ['pD', 'pD2', 'pD4', '12pD', '-12pD3|'])
  f(`[%${spec}]`, struct('file', { 'f_path.dentry': bar }));
f('[%pD]', 0);
const disk = (name) => struct('gendisk', { disk_name: { text: name } });
for (const [name, part] of [
  ['sda', 0],
  ['sda', 3],
  ['nvme0n1', 0],
  ['nvme0n1', 12],
])
  f('[%pg][%6pg]', ...Array(2).fill(struct('block_device', { bd_disk: disk(name), bd_partno: part })));
f('[%pg][%pC][%pOF][%pOFf][%pO][%pOx][%pf][%pfx]', 0, 0, 0, 5, 5, 5, 5, 5);
f('[%pfw][%20pfw]', 0, 0);
f('[%pC][%pCn]', -2, 0);
f(
  '[%p4cc][%p4cc][%p4cc][%p4c][%p4][%34p4cc|]',
  u32(0x3231564e),
  u32(0xb231564e),
  u32(0x01020a7f),
  u32(0),
  u32(0),
  u32(0x20303859),
);
f('[%p4cc]', 0);
// flags
f('[%pGg][%pGv][%pGp][%pG][%pGx]', u32(0), u64s(0n), u64s(0n), u64s(0n), u64s(1n));
for (let bit = 0; bit < 28; bit++) f('%pGg', u32(2 ** bit));
for (const gfp of [
  0xcc0, 0xc40, 0xa20, 0xc00, 0x800, 0x400cc0, 0x100cca, 0x1100cca, 0x3d24ca, 0x3d20ca, 0xdc0, 0x2cc0,
  0xffff_ffff, 0xcc1, 0xcc4, 0x140cca,
])
  f('%pGg', u32(gfp));
for (let bit = 0; bit < 40; bit++) f('%pGv', u64s(1n << BigInt(bit)));
f('%pGv|%pGv', u64s(0x8000075n), u64s(M1));
for (let bit = 0; bit < 64; bit++) f('%pGp', u64s(1n << BigInt(bit)));
f('%pGp|%pGp', u64s(0x17_ffff_c001_0200n), u64s(M1));
f('[%pGg][%40pGg]', 0, u32(0xcc0));
// nested
const va = (fmt, ...args) => ({ va: { fmt, args } });
f('<%pV>', va('a %d b %s', 42, str('xyz')));
f('<%pV|%d>', va('%d %d %d %d %d %d', 1, 2, 3, 4, 5, 6), 7);
f('<%20pV>', va('ab'));
f('<%pV>', 0);
f('<%pV%pV>', va('x%d', 1), va('%pV!', va('in %s', str('side'))));
f('<%pV>', va('%y%d', 1));
sized(6, '<%pV>', va('abcdefgh'));

const scans = [];
const sc = (text, fmt, n = 4) => scans.push({ text, fmt, outputs: n });
sc('123 -45 0x1f 077', '%d %d %x %o');
sc('123abc', '%d%s');
sc('0x1f 010 10 -0x10', '%i %i %i %i');
sc('  42', '%d');
sc('42', ' %d');
sc('a42', 'a%d');
sc('a 42', 'a%d');
sc('b42', 'a%d');
sc('12345', '%2d%2d%d');
sc('-12345', '%3d%d');
sc('-5', '%1d');
sc('0x1fz', '%3x%s');
sc('0x1f', '%2i%d');
sc('0x', '%i%s');
sc('0xg', '%x%s');
sc('300 300 70000 70000', '%hhd %hhu %hd %hu');
sc('-1 -1', '%hhd %hhd');
sc('99999999999 99999999999 5 6', '%d %ld %lld %zu');
sc('18446744073709551615 18446744073709551616', '%llu %llu');
sc('-5', '%u');
sc('+5', '%d');
sc('7 8', '%Ld %zd');
sc('1 2', '%lx %lX');
sc('hello world', '%s %s');
sc('hello', '%3s%s');
sc('   x', '%s');
sc('', '%s');
sc('', '%d');
sc('   ', '%s');
sc('   ', '%d');
sc('abc', '%c%c%c');
sc('a b', '%c%c%c');
sc('abc', '%2c%c');
sc('ab', '%5c');
sc(' a', '%c');
sc('', '%c');
sc('12:34', '%d:%d');
sc('12 :34', '%d:%d');
sc('12:34', '%d %d');
sc('12,34', '%d,%d%n');
sc('abc 5', '%*s %d');
sc('12 34', '%*d %d');
sc('abc', '%*[a]%s');
sc('12', '%*d%s');
sc('5%', '%d%%%n');
sc('5x', '%d%%%n');
sc('5 %', '%d %%%n');
sc('00:0a:95', '%2[^:]:%2[^:]:%2[^:]');
sc('abc123', '%3[abc]%d');
sc('abc', '%[abc]');
sc('xyz', '%3[abc]');
sc('a]b', '%3[]a]%s');
sc('abc', '%5[abc');
sc('a-c', '%9[a-c]');
sc('abcd', '%2[a-z]');
sc('abc', '%3[^]%s');
sc('a\xa0b', '%s%s');
sc('aaaa', '%2[a]%s');
sc('12abc', '%n%d%n');
sc('abc', '%n');
sc('5', '%d%n');
sc('9', '%o');
sc('78', '%o%s');
sc('-', '%d');
sc('--5', '%d');
sc('- 5', '%d');
sc('1 2 3', '%d\t%d\n%d');
sc('5', '%');
sc('5', '%l');
sc('5', '%0d');
sc('5', '%y');
sc('5', '%p');
sc('abc', 'abc');
sc('ab', 'abc%d');
sc('5', '%99999d');
sc('7', '%65537d');
sc('08', '%i%s');
sc('4294967296', '%d');
sc('deadbeefcafe', '%llx');
sc('-0', '%d');
sc('a%b', 'a%%b%n');

const numbers = [];
const types = ['ull', 'll', 'uint', 'int', 'u16', 's16', 'u8', 's8'];
for (const text of [
  '0',
  '1',
  '-1',
  '+1',
  '-0',
  '+-1',
  '--1',
  '',
  '\n',
  '5\n',
  '5\n\n',
  '5 ',
  ' 5',
  '0x',
  '0x1F',
  '0X1f',
  '-0x80',
  '0x80',
  '010',
  '08',
  '255',
  '256',
  '-128',
  '-129',
  '127',
  '128',
  '32767',
  '32768',
  '-32768',
  '-32769',
  '65535',
  '65536',
  '2147483647',
  '2147483648',
  '-2147483648',
  '-2147483649',
  '4294967295',
  '4294967296',
  '9223372036854775807',
  '9223372036854775808',
  '-9223372036854775808',
  '-9223372036854775809',
  '18446744073709551615',
  '18446744073709551616',
  '99999999999999999999999',
  '12a',
  'a',
  '0b1',
  '1e3',
  '+',
  '-',
  '+0x10\n',
])
  for (const type of types) numbers.push({ type, text, base: 0 });
for (const [text, base] of [
  ['ff', 16],
  ['0xff', 16],
  ['FF\n', 16],
  ['g', 16],
  ['0x', 16],
  ['0xg', 16],
  ['77', 8],
  ['0x7', 8],
  ['78', 8],
  ['101', 2],
  ['102', 2],
  ['010', 10],
  ['0x10', 10],
  ['z', 10],
])
  for (const type of ['ull', 'int']) numbers.push({ type, text, base });
for (const text of [
  'y',
  'Y',
  'yes',
  't',
  'T',
  'true',
  '1',
  'n',
  'N',
  'f',
  'F',
  '0',
  'on',
  'ON',
  'oN',
  'of',
  'off',
  'OFF',
  'o',
  '',
  '2',
  'x',
  '-1',
  ' 1',
  '10',
  '0x1',
  'ox',
])
  numbers.push({ type: 'bool', text, base: 0 });
for (const [text, base] of [
  ['123abc', 10],
  ['123abc', 0],
  ['0x1fz', 0],
  ['0x1fz', 16],
  ['010', 0],
  ['-5', 0],
  ['-0x10', 0],
  ['+5', 0],
  ['', 0],
  ['abc', 10],
  ['18446744073709551616', 10],
  ['-18446744073709551615', 10],
  ['0x', 0],
  ['0xg', 16],
  ['08', 0],
  [' 1', 0],
  ['7f', 8],
])
  for (const type of ['simple_strtoull', 'simple_strtoll', 'simple_strtoul', 'simple_strtol'])
    numbers.push({ type, text, base });

const sizes = [];
for (const [size, blk] of [
  [0, 512],
  [1, 1],
  [1, 512],
  [512, 1],
  [999, 1],
  [1000, 1],
  [1023, 1],
  [1024, 1],
  [1025, 1],
  [1500, 1],
  [9999, 1],
  [8192, 1],
  [10240, 1],
  [102400, 1],
  [1048576, 1],
  [1049999, 1],
  [4096, 512],
  [16384, 512],
  [500118192, 512],
  [976773168, 512],
  [7814037168, 512],
  [4096, 7],
  [2n ** 63n, 1],
  [M1, 1],
  [M1, M1],
  [M1, 4096],
  [3, 0],
  [0xffffffffn, 0xffffffffn],
  [994999, 1],
  [995000, 1],
  [999500, 1],
  [1000000, 1],
])
  for (const units of [0, 1]) sizes.push({ size, blk, units, len: 24 });
sizes.push({ size: 1234567, blk: 1, units: 0, len: 4 });

const escapes = [];
for (const flags of [
  0x0f, 0x1f, 0x20, 0x2f, 0x40, 0x80, 0x88, 0xa0, 0x60, 0x30, 0x01, 0x04, 0x128, 0x1a8, 0x108, 0x1b0,
])
  for (const only of ['', 'ab\n', '\\"'])
    escapes.push({ src: 'ab\n\x00"\\\x7f\x80\xe9 z\x07', flags, only, size: 80 });
escapes.push({ src: 'a\nb', flags: 0x08, only: '', size: 4 });
const unescapes = [];
for (const src of [
  '\\n\\r\\t\\v\\f',
  '\\x41\\x4\\xg\\x',
  '\\101\\377\\400\\777\\1\\8\\08',
  '\\"\\\\\\a\\e',
  'plain',
  'end\\',
  '\\q\\',
  'a\\n\\x41\\101\\"b',
])
  for (const flags of [1, 2, 4, 8, 15, 0]) unescapes.push({ src, flags, size: 0 });
for (const size of [1, 2, 3, 4, 5, 6]) unescapes.push({ src: '\\n\\x41b', flags: 15, size });

const dumps = [];
for (const len of [0, 1, 3, 4, 7, 8, 16, 20, 32, 40])
  for (const row of [16, 32, 5])
    for (const group of [1, 2, 4, 8])
      for (const ascii of [0, 1]) dumps.push({ len, row, group, ascii, size: 140 });
for (const group of [1, 2, 4, 8])
  for (const ascii of [0, 1])
    for (const size of [
      0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 16, 17, 18, 19, 33, 34, 35, 36, 37, 40, 46, 47, 48, 49, 50, 51, 52,
      60, 64, 65, 66, 67, 68,
    ])
      dumps.push({ len: 16, row: 16, group, ascii, size });
for (const size of [1, 2, 3, 4, 5, 23, 24, 25, 26]) dumps.push({ len: 8, row: 16, group: 1, ascii: 0, size });

export const cases = { formats, scans, numbers, sizes, escapes, unescapes, dumps };
// 80 bytes that the dumps are made of
export const dumpBytes = [...Array(40).keys()].map((i) => (i * 37 + 11) & 0xff);

// Texts that are handed to printk("%s") one after the other. \x01 is KERN_SOH: \x016 is KERN_INFO, \x01c KERN_CONT.
export const messages = [
  'no level\n',
  '\x010emerg\n',
  '\x011alert\n',
  '\x012crit\n',
  '\x013err\n',
  '\x014warning\n',
  '\x015notice\n',
  '\x016info\n',
  '\x017debug\n',
  '\x016two\nlines\n',
  '\x014three\n\nlines\n',
  '\x016ends twice\n\n',
  '\n',
  '',
  '\x016',
  '\x016\n',
  '\x016open',
  '\x01c and continued',
  '\x01c to the end\n',
  '\x01ccontinued after the end\n',
  '\x016open again',
  '\x016a new one closes it\n',
  '\x013open error',
  '\x01c same record\n',
  '\x016open',
  'no level here\n',
  '\x01copening cont',
  '\x01c more\n',
  '\x01c\x013cont with level\n',
  '\x013\x01clevel then cont',
  '\x01c!\n',
  '\x016a',
  '\x01cb\x016c\n',
  '\x016a\n\x016b\n',
  '\x016\x014twice\n',
  '\x016\x016\x016',
  '\x01dold default\n',
  '\x01x unknown\n',
  '\x018 eight\n',
  '\x01',
  '\x01\n',
  `\x016${'x'.repeat(985)}END\n`,
  `\x016${'y'.repeat(989)}\n`,
  `\x016${'y'.repeat(990)}\n`,
  `\x016${'y'.repeat(991)}\n`,
  `\x016${'z'.repeat(1100)}\n`,
  `${'w'.repeat(990)}\n`,
  `${'w'.repeat(991)}\n`,
  `${'w'.repeat(992)}\n`,
  'w'.repeat(1000),
  'after a cut one\n',
  `\x016long open ${'v'.repeat(900)}`,
  `\x01c${'u'.repeat(100)}\n`,
  `\x01c${'t'.repeat(50)}\n`,
  `\x016fits ${'s'.repeat(900)}`,
  `\x01c${'r'.repeat(60)}|`,
  `\x01c${'q'.repeat(40)}\n`,
  '\x01c tail\n',
  '\x016tab\tbackslash\\ quote" del\x7f high\xe9 esc\x1b bell\x07\n',
  `\x016${'line\n'.repeat(60)}`,
  `\x016line of 99 ${(`${'m'.repeat(99)}\n`).repeat(9)}`,
  '\x016open',
  '\x01c',
  '\x01c\n',
  '\x01c\n',
  '\x016no newline at the end',
];
