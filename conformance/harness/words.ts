// The little of sh that steps need: words, blanks, single and double quotes, backslash, `> FILE`.

export interface CommandLine {
  readonly words: readonly string[];
  /** file that takes the output */
  readonly into: string | undefined;
}

/** @throws Error on anything of sh that is not supported here */
export function parseCommandLine(line: string): CommandLine {
  const words: string[] = [];
  let into: string | undefined;
  let redirect = false;
  let word: string | undefined;
  const end = (): void => {
    if (word === undefined) return;
    if (redirect) into = word;
    else words.push(word);
    redirect = false;
    word = undefined;
  };
  for (let i = 0; i < line.length; i++) {
    const c = line[i]!;
    if (c === ' ' || c === '\t') end();
    else if (c === "'" || c === '"') {
      const close = line.indexOf(c, i + 1);
      const quoted = line.slice(i + 1, close);
      if (close < 0) throw new Error(`quote without end in step: ${line}`);
      if (c === '"' && /[\\$`]/.test(quoted)) throw new Error(`not supported between double quotes: ${line}`);
      word = (word ?? '') + quoted;
      i = close;
    } else if (c === '\\') {
      word = (word ?? '') + (line[++i] ?? '');
    } else if (c === '>') {
      end();
      redirect = true;
    } else if (/[|&;<$`(){}*?[\]~#]/.test(c)) {
      throw new Error(`"${c}" is not supported in step: ${line}`);
    } else word = (word ?? '') + c;
  }
  end();
  if (redirect) throw new Error(`no file after > in step: ${line}`);
  return { words, into };
}
