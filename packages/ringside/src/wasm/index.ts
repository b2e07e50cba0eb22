/** WebAssembly: encode (`CodeWriter`, `writeModule`) and print (`printCode`). Knows nothing of guests. */
export * from './code-writer.ts';
export * from './module-writer.ts';
export * from './opcodes.ts';
export * from './print.ts';
export { immediateOf } from './vector-opcodes.ts';
