import type { Operand } from '../../x86/index.ts';
import { ones } from './bit-rules.ts';
import type { TrackedOperands } from './operands.ts';

const LOW = ones(64);
const ALL = ones(128);
const MOVES = new Set('movups movupd movaps movapd movdqu movdqa lddqu movntdq movntps movntpd'.split(' '));
const SELF = new Set(
  'pxor xorps xorpd psubb psubw psubd psubq pcmpeqb pcmpeqw pcmpeqd pandn andnps andnpd'.split(' '),
);
/** Each byte of the result depends on the same bytes of the operands. */
const BYTEWISE = new Set(
  'pxor xorps xorpd pand andps andpd por orps orpd pandn andnps andnpd paddb psubb pcmpeqb pcmpgtb pmaxub pminub pavgb'.split(
    ' ',
  ),
);
const UNPACK: Readonly<Record<string, number>> = {
  punpcklbw: 8,
  punpcklwd: 16,
  punpckldq: 32,
  punpcklqdq: 64,
  unpcklps: 32,
  unpcklpd: 64,
  punpckhbw: 8,
  punpckhwd: 16,
  punpckhdq: 32,
  punpckhqdq: 64,
  unpckhps: 32,
  unpckhpd: 64,
};

function put(t: TrackedOperands, target: Operand, mask: bigint): void {
  if (target.kind !== 'xmm') {
    t.write(target, mask);
    return;
  }
  t.registers.vectors[target.reg] = mask;
  if (mask !== 0n) t.registers.vectorOrigins[target.reg] = t.origin;
}

/** All of an xmm register, whatever width the operand has. */
function whole(t: TrackedOperands, operand: Operand): bigint {
  return t.mask(operand.kind === 'xmm' ? { ...operand, size: 128 } : operand);
}

/** Moves of a part: which bits of the target the source replaces, and whether the rest is cleared. */
function movePart(t: TrackedOperands): boolean {
  const [target, source] = [t.get(0), t.get(1)];
  const halves = (low: bigint, high: bigint): void => put(t, target, (low & LOW) | ((high & LOW) << 64n));
  switch (t.ins.name) {
    case 'movd':
    case 'movq':
      if (target.kind === 'mmx' || source.kind === 'mmx') {
        put(t, target, 0n);
        return true;
      }
      put(
        t,
        target,
        t.mask(source) &
          ones(source.size === 0 ? 64 : Math.min(source.size, t.ins.name === 'movq' ? 64 : source.size)) &
          ones(target.kind === 'xmm' ? 128 : target.size),
      );
      return true;
    case 'movss':
    case 'movsd': {
      const width = t.ins.name === 'movss' ? 32 : 64;
      const part = t.mask(source) & ones(width);
      if (source.kind === 'mem') put(t, target, part);
      else if (target.kind === 'mem') t.write(target, part);
      else put(t, target, (whole(t, target) & ~ones(width)) | part);
      return true;
    }
    case 'movlps':
    case 'movlpd':
      if (target.kind === 'mem') t.write(target, whole(t, source) & LOW);
      else halves(t.mask(source), whole(t, target) >> 64n);
      return true;
    case 'movhps':
    case 'movhpd':
      if (target.kind === 'mem') t.write(target, whole(t, source) >> 64n);
      else halves(whole(t, target), t.mask(source));
      return true;
    case 'movhlps':
      halves(whole(t, source) >> 64n, whole(t, target) >> 64n);
      return true;
    case 'movlhps':
      halves(whole(t, target), whole(t, source));
      return true;
    case 'pslldq':
    case 'psrldq': {
      const bits = BigInt(8 * Math.min(16, t.get(1).value & 0xff));
      put(t, target, t.ins.name === 'pslldq' ? (whole(t, target) << bits) & ALL : whole(t, target) >> bits);
      return true;
    }
    case 'pshufd': {
      const from = whole(t, source);
      let mask = 0n;
      for (let i = 0; i < 4; i++) {
        const lane = BigInt(32 * ((t.get(2).value >> (2 * i)) & 3));
        mask |= ((from >> lane) & ones(32)) << BigInt(32 * i);
      }
      put(t, target, mask);
      return true;
    }
    default:
      return false;
  }
}

function unpack(t: TrackedOperands, width: number): void {
  const high = t.ins.name.includes('kh') ? 64n : 0n;
  const [a, b] = [whole(t, t.get(0)) >> high, whole(t, t.get(1)) >> high];
  let mask = 0n;
  for (let i = 0; i < 64 / width; i++) {
    const from = BigInt(i * width);
    const lane = (v: bigint): bigint => (v >> from) & ones(width);
    mask |= (lane(a) | (lane(b) << BigInt(width))) << BigInt(2 * i * width);
  }
  put(t, t.get(0), mask);
}

/**
 * Vector instructions: moves are exact, what works on bytes is exact by the byte, everything else makes the whole result undefined
 * when anything in its operands is. MMX registers are not followed.
 */
export function trackVector(t: TrackedOperands): void {
  const { ins } = t;
  const [target, source] = ins.operands;
  if (target === undefined) return;
  const { name } = ins;
  if (/^u?comis/.test(name)) {
    const unknown = (t.mask(target) | t.mask(source!)) !== 0n;
    t.registers.flags.set(unknown ? ~0 : 0);
    t.registers.flagsOrigin = t.origin;
  } else if (MOVES.has(name)) put(t, target, t.mask(source!));
  else if (SELF.has(name) && target.kind === 'xmm' && source?.kind === 'xmm' && target.reg === source.reg)
    put(t, target, 0n);
  else if (movePart(t)) return;
  else if (UNPACK[name] !== undefined && target.kind === 'xmm') unpack(t, UNPACK[name]);
  else if (BYTEWISE.has(name) && target.kind === 'xmm') bytewise(t, target, source!);
  else if (target.kind === 'xmm' || target.kind === 'reg' || target.kind === 'mem') {
    let any = false;
    for (const operand of ins.operands) any = any || whole(t, operand) !== 0n;
    const width = target.kind === 'xmm' ? 128 : target.size;
    put(t, target, any ? ones(width) : 0n);
  }
}

function bytewise(t: TrackedOperands, target: Operand, source: Operand): void {
  const bits = whole(t, target) | whole(t, source);
  if (bits === 0n) {
    put(t, target, 0n);
    return;
  }
  let mask = 0n;
  for (let i = 0n; i < 128n; i += 8n) if ((bits >> i) & 0xffn) mask |= 0xffn << i;
  put(t, target, mask);
}
