/**
 * x86-64 instructions: bytes -> `Instruction` (`decode`), `Instruction` -> text (`printInstruction`). One table,
 * one line an encoding, in `table/`; `encodings.ts` says what its columns mean. Nothing here knows what an
 * instruction does: that is `translate/`.
 */
export * from './decode.ts';
export * from './encodings.ts';
export * from './instruction.ts';
export * from './print.ts';
