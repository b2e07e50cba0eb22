/**
 * Call traces out of guest stacks, by the ORC data of the image and of modules. Pure functions over what the
 * machine answers: no frame is ever followed into memory that the host does not let be read.
 *
 *     registers ──► unwind ──► frames ──► scanStack (adds the `?` clues)
 */

export { ModuleOrc, type OrcTables } from './module-orc.ts';
export { FRAME_POINTER, ORC_REG, type OrcRule, UNWIND_HINT_TYPE } from './orc.ts';
export {
  type StackScanHost,
  scanStack,
  type UnwindHost,
  type UnwindStart,
  type UnwoundFrame,
  unwind,
} from './unwind.ts';
