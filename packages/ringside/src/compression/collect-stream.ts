import { FormatError, RingsideError } from '../bytes/index.ts';

/** A stream over one buffer, as the platform's decompressors want their input. */
export function streamOf(bytes: Uint8Array): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({
    start(controller) {
      if (bytes.length > 0) controller.enqueue(bytes as Uint8Array<ArrayBuffer>);
      controller.close();
    },
  });
}

/**
 * Reads a stream to its end into one buffer. More than `maxBytes`, or an error of the stream, is a `FormatError`
 * whose message begins with `what`.
 */
export async function collectStream(
  stream: ReadableStream<Uint8Array>,
  maxBytes: number,
  what: string,
): Promise<Uint8Array> {
  const reader = stream.getReader();
  const chunks: Uint8Array[] = [];
  let total = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      total += value.length;
      if (total > maxBytes) throw tooLarge(what, maxBytes);
      // Copied, because xz-decompress hands out views of one buffer that it writes again.
      chunks.push(value.slice());
    }
  } catch (cause) {
    await reader.cancel().catch(() => undefined);
    if (cause instanceof RingsideError) throw cause;
    throw damaged(what, cause);
  }
  const result = new Uint8Array(total);
  let at = 0;
  for (const chunk of chunks) {
    result.set(chunk, at);
    at += chunk.length;
  }
  return result;
}

export function tooLarge(what: string, maxBytes: number): FormatError {
  return new FormatError(`${what} data unpacks to more than the allowed ${maxBytes} bytes`);
}

export function damaged(what: string, cause: unknown): FormatError {
  const reason = cause instanceof Error && cause.message !== '' ? `: ${cause.message}` : '';
  return new FormatError(`${what} data is damaged${reason}`, {}, { cause });
}
