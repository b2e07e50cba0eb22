import type { Origin } from '../../memory/index.ts';
import type { Operand } from '../../x86/index.ts';
import { ones } from './bit-rules.ts';
import { FlagDefinedness } from './flag-definedness.ts';

const GENERAL = 16;

/** The undefined bits of the registers of a context that does not run. */
export interface SavedDefinedness {
  readonly masks: readonly bigint[];
  readonly origins: readonly Origin[];
  readonly vectors: readonly bigint[];
  readonly vectorOrigins: readonly Origin[];
  readonly flags: ReturnType<FlagDefinedness['save']>;
  readonly flagsOrigin: Origin;
}

/** Which bits of the registers are undefined, and since when. */
export class RegisterDefinedness {
  masks: bigint[] = new Array<bigint>(GENERAL).fill(0n);
  origins: Origin[] = new Array<Origin>(GENERAL).fill(0);
  /** xmm registers, 128 bits each. */
  vectors: bigint[] = new Array<bigint>(GENERAL).fill(0n);
  vectorOrigins: Origin[] = new Array<Origin>(GENERAL).fill(0);
  readonly flags = new FlagDefinedness();
  flagsOrigin: Origin = 0;

  read(operand: Operand): bigint {
    const mask = this.masks[operand.reg]!;
    if (mask === 0n) return 0n;
    return (operand.high ? mask >> 8n : mask) & ones(operand.size);
  }

  /** As the processor writes: 32 bits clear the upper half, fewer leave the rest. */
  write(operand: Operand, mask: bigint, origin: Origin): void {
    const { reg, size } = operand;
    const before = this.masks[reg]!;
    if (size >= 32) this.masks[reg] = mask;
    else {
      const shift = operand.high ? 8n : 0n;
      this.masks[reg] = (before & ~(ones(size) << shift)) | (mask << shift);
    }
    if (mask !== 0n) this.origins[reg] = origin;
  }

  set(reg: number, mask: bigint, origin: Origin): void {
    this.masks[reg] = mask;
    if (mask !== 0n) this.origins[reg] = origin;
  }

  /** All defined: a context that begins. */
  reset(): void {
    this.masks.fill(0n);
    this.vectors.fill(0n);
    this.flags.set(0);
  }

  save(): SavedDefinedness {
    return {
      masks: [...this.masks],
      origins: [...this.origins],
      vectors: [...this.vectors],
      vectorOrigins: [...this.vectorOrigins],
      flags: this.flags.save(),
      flagsOrigin: this.flagsOrigin,
    };
  }

  restore(saved: SavedDefinedness): void {
    this.masks = [...saved.masks];
    this.origins = [...saved.origins];
    this.vectors = [...saved.vectors];
    this.vectorOrigins = [...saved.vectorOrigins];
    this.flags.restore(saved.flags);
    this.flagsOrigin = saved.flagsOrigin;
  }
}
