/**
 * Floating-point arithmetic that WebAssembly has no operations for, exact to the bit and the flag.
 *
 *   rounding.ts      exact numbers, rounded to a format by a mode
 *   extended.ts      the 80-bit format; binary-format.ts: singles and doubles
 *   x87-unit.ts      the x87: what an instruction does to its stack (x87-stack.ts), by x87-arithmetic.ts and transcendental.ts
 *   sse-unit.ts      SSE arithmetic in all modes of MXCSR
 *
 * Translated code calls the two units; nothing here knows of it.
 */

export { type SseOperation, sseCode } from './sse-operations.ts';
export { SseUnit } from './sse-unit.ts';
export { X87_FORM, type X87Operation, x87Code } from './x87-operations.ts';
export { X87Unit } from './x87-unit.ts';
