/** Exit statuses of every command; part of the public interface (`ringside --help`, docs/json.md). */
export const EXIT = {
  clean: 0,
  /** A module was refused, or the input or the options cannot be used. */
  refused: 1,
  /** The kernel oopsed, warned, panicked or hung, or a memory error was found. */
  trouble: 2,
  /** Something is needed that Ringside does not support yet. */
  unsupported: 3,
  timeout: 124,
  /** As shells have it: 128 and SIGINT's number. */
  interrupted: 130,
} as const;
