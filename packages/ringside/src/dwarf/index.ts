/**
 * Debug information: which source line, function and chain of inlined calls an instruction comes from, and how
 * large the variables are. DWARF 3 to 5, of modules (relocations are applied first) and of linked files.
 *
 *     .debug_line                  -> LineProgram -> sequences of rows ─┐
 *     .debug_info + .debug_abbrev  -> Unit -> functions, variables ─────┴─> LineTable
 *
 * `LineTable` owns everything that was read; the file's bytes are shared and never changed.
 */
export {
  type CompilationUnit,
  type DebugVariable,
  type InlineCaller,
  LineTable,
  type SourceLocation,
  type SourcePosition,
} from './line-table.ts';
