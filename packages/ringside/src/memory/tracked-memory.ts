import type { GuestAddr } from '../bytes/index.ts';
import { Definedness, type DefinednessCopy, type Origin } from './definedness.ts';
import { GuestMemory, type Protection } from './guest-memory.ts';

/**
 * A guest's memory that knows which of its bits are undefined. What functions of ours write is defined, and so is what they map;
 * what they read is told to `onRead` when some of it is not. Bytes that are read as a block and written as the same
 * block keep what is known of them: that is a copy.
 */
export class TrackedMemory extends GuestMemory {
  readonly definedness = new Definedness();
  /** Told when a function of ours reads undefined bits. */
  onRead: ((addr: GuestAddr, size: number) => void) | undefined;
  /** The function of ours that runs only copies blocks. */
  isCopying: (() => boolean) | undefined;
  /** The origin of bits that are stored again. */
  onStored: (origin: Origin) => Origin = (origin) => origin;
  readonly #blocks = new WeakMap<Uint8Array, DefinednessCopy>();

  override map(addr: GuestAddr, size: number, protection: Protection): void {
    super.map(addr, size, protection);
    this.definedness.define(addr >>> 0, size);
  }

  override readU8(addr: GuestAddr): number {
    this.#read(addr, 1);
    return super.readU8(addr);
  }

  override readU16(addr: GuestAddr): number {
    this.#read(addr, 2);
    return super.readU16(addr);
  }

  override readU32(addr: GuestAddr): number {
    this.#read(addr, 4);
    return super.readU32(addr);
  }

  override readU64(addr: GuestAddr): bigint {
    this.#read(addr, 8);
    return super.readU64(addr);
  }

  override readPtr(addr: GuestAddr): GuestAddr {
    this.#read(addr, 8);
    return super.readPtr(addr);
  }

  override readBytes(addr: GuestAddr, size: number): Uint8Array {
    if (this.isCopying?.() !== true) this.#read(addr, size);
    const bytes = super.readBytes(addr, size);
    const copy = this.definedness.copy(addr >>> 0, size);
    if (copy !== undefined) this.#blocks.set(bytes, copy);
    return bytes;
  }

  override writeU8(addr: GuestAddr, value: number): void {
    super.writeU8(addr, value);
    this.definedness.define(addr >>> 0, 1);
  }

  override writeU16(addr: GuestAddr, value: number): void {
    super.writeU16(addr, value);
    this.definedness.define(addr >>> 0, 2);
  }

  override writeU32(addr: GuestAddr, value: number): void {
    super.writeU32(addr, value);
    this.definedness.define(addr >>> 0, 4);
  }

  override writeU64(addr: GuestAddr, value: bigint): void {
    super.writeU64(addr, value);
    this.definedness.define(addr >>> 0, 8);
  }

  override writePtr(addr: GuestAddr, value: GuestAddr): void {
    super.writePtr(addr, value);
    this.definedness.define(addr >>> 0, 8);
  }

  override writeBytes(addr: GuestAddr, bytes: Uint8Array): void {
    super.writeBytes(addr, bytes);
    const copy = this.#blocks.get(bytes);
    if (copy === undefined) this.definedness.define(addr >>> 0, bytes.length);
    else this.definedness.paste(addr >>> 0, copy, this.onStored);
  }

  override fill(addr: GuestAddr, value: number, size: number): void {
    super.fill(addr, value, size);
    this.definedness.define(addr >>> 0, size);
  }

  #read(addr: GuestAddr, size: number): void {
    if (this.definedness.undefinedBytes(addr >>> 0, size) !== undefined) this.onRead?.(addr, size);
  }
}
