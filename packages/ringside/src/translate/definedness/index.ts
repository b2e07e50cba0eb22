/** Follows which bits of registers and memory are undefined, for `CpuOptions.follower`. */
export type { DefinednessHost, Use } from './operands.ts';
export { DefinednessTracker } from './tracker.ts';
