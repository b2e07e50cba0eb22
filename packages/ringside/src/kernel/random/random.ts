/**
 * The machine's only source of randomness: a 64-bit splitmix generator, so that a seed gives the same run.
 * Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014.
 */
export class SeededRandom {
  #state: bigint;

  constructor(seed: bigint) {
    this.#state = BigInt.asUintN(64, seed);
  }

  /** 64 random bits. */
  u64(): bigint {
    this.#state = BigInt.asUintN(64, this.#state + 0x9e37_79b9_7f4a_7c15n);
    let z = this.#state;
    z = BigInt.asUintN(64, (z ^ (z >> 30n)) * 0xbf58_476d_1ce4_e5b9n);
    z = BigInt.asUintN(64, (z ^ (z >> 27n)) * 0x94d0_49bb_1331_11ebn);
    return z ^ (z >> 31n);
  }

  u32(): number {
    return Number(this.u64() & 0xffff_ffffn);
  }

  fill(bytes: Uint8Array): void {
    for (let i = 0; i < bytes.length; i++) bytes[i] = Number(this.u64() & 0xffn);
  }
}
