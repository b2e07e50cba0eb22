import * as iced from 'iced-x86';
import { expect, test } from 'vitest';
import { decode, isInstruction, printInstruction } from './index.ts';
import { agrees, MNEMONICS } from './oracle.fixture.ts';

function bytes(hex: string): Uint8Array {
  return Uint8Array.from(hex.split(' '), (b) => Number.parseInt(b, 16));
}

function print(hex: string, addr = 0x1000): string {
  const ins = decode(bytes(hex), 0, addr);
  return isInstruction(ins) ? printInstruction(ins) : ins.reason;
}

test('instructions print as objdump prints them', () => {
  expect(print('48 8b 44 8b f8')).toBe('mov -0x8(%rbx,%rcx,4),%rax');
  expect(print('65 48 8b 04 25 28 00 00 00')).toBe('mov %gs:0x28,%rax');
  expect(print('e8 fb ff ff ff')).toBe('call 0x1000');
  expect(print('ff 15 00 01 00 00')).toBe('callq *0x1106(%rip)');
  expect(print('f0 83 44 24 fc 00')).toBe('lock addl $0x0,-0x4(%rsp)');
  expect(print('f3 48 ab')).toBe('rep stosq');
  expect(print('0f 0b')).toBe('ud2');
  expect(print('f3 0f 1e fa')).toBe('endbr64');
});

test('bytes that are no instruction say why', () => {
  expect(print('06')).toBe('invalid');
  expect(print('48 8b')).toBe('truncated');
  expect(print('f0 89 c8')).toBe('invalid');
  expect(print('66 66 66 66 66 66 66 66 66 66 66 66 66 66 66 66')).toBe('too-long');
});

test('lengths and operations of random bytes are those of another decoder', () => {
  let x = 20231;
  const next = (): number => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return x & 0xff;
  };
  const different = new Map<string, string>();
  let compared = 0;
  const ins = new iced.Instruction();
  for (let i = 0; i < 40_000; i++) {
    const code = Uint8Array.from({ length: 16 }, next);
    if (i % 4 === 0) code[0] = 0x0f;
    if (i % 4 === 1) code[0] = 0x48 | (code[0]! & 7);
    const ours = decode(code, 0, 0x1000);
    if (!isInstruction(ours)) continue;
    const decoder = new iced.Decoder(64, code, iced.DecoderOptions.None);
    decoder.ip = 0x1000n;
    decoder.decodeOut(ins);
    const theirs = ins.code === iced.Code.INVALID ? 'invalid' : MNEMONICS.get(ins.mnemonic)!;
    decoder.free();
    compared++;
    // Selectors and control registers that do not exist are for the translator to refuse.
    if (theirs === 'invalid' && /_(seg|cr|dr)$|far$/.test(ours.name)) continue;
    if (theirs !== 'invalid' && ours.length === ins.length && agrees(ours, theirs)) continue;
    const hex = Array.from(code.subarray(0, 15), (b) => b.toString(16).padStart(2, '0')).join(' ');
    different.set(`${ours.name} ${ours.length}, not ${theirs} ${ins.length}`, hex);
  }
  ins.free();
  expect([...different].slice(0, 30)).toEqual([]);
  expect(compared).toBeGreaterThan(20_000);
});
