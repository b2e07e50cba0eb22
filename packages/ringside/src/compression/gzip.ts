import { collectStream, streamOf } from './collect-stream.ts';

/** Unpacks gzip with the platform's `DecompressionStream` (Node 18, every browser). */
export async function gunzip(bytes: Uint8Array, maxBytes: number): Promise<Uint8Array> {
  const stream = streamOf(bytes).pipeThrough(new DecompressionStream('gzip'));
  return await collectStream(stream as ReadableStream<Uint8Array>, maxBytes, 'gzip');
}
