/** The command's entry: bundled into `dist/command.cjs`, called by `bin/ringside.cjs`. Returns the exit status. */
export async function main(args: readonly string[]): Promise<number> {
  process.stdout.write(`ringside ${args.join(' ')}\n`);
  return 0;
}
