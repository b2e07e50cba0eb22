import type { CallTable, ImageCalls } from './kernel-spec.ts';

export class ListCallTable implements CallTable {
  readonly #functions: ReadonlyMap<string, ImageCalls>;

  constructor(functions: readonly ImageCalls[]) {
    this.#functions = new Map(functions.map((each) => [each.name, each]));
  }

  of(functionName: string): ImageCalls | undefined {
    return this.#functions.get(functionName);
  }

  returnOffset(caller: string, callee: string): number | undefined {
    return this.of(caller)?.calls.find(({ target }) => target === callee)?.returnOffset;
  }

  [Symbol.iterator](): Iterator<ImageCalls> {
    return this.#functions.values();
  }
}
