import { FormatError } from '../bytes/index.ts';
import { damaged, tooLarge } from './collect-stream.ts';
import { zstdContentSize, zstdFrameSize } from './zstd-frame.ts';

type ZstdModule = typeof import('@bokuweb/zstd-wasm');

let loading: Promise<ZstdModule> | undefined;

async function load(): Promise<ZstdModule> {
  const loaded = (await import('@bokuweb/zstd-wasm')) as ZstdModule & { readonly default?: ZstdModule };
  const zstd = loaded.default ?? loaded;
  await zstd.init();
  return zstd;
}

/** Unpacks the first frame of zstd data; its checksum is verified. What follows the frame is ignored. */
export async function unzstd(bytes: Uint8Array, maxBytes: number): Promise<Uint8Array> {
  const announced = zstdContentSize(bytes);
  if (announced !== undefined && announced > maxBytes) throw tooLarge('zstd', maxBytes);
  const frame = bytes.subarray(0, zstdFrameSize(bytes));
  loading ??= load();
  const zstd = await loading;
  if (announced !== undefined) {
    const result = run(zstd, frame, announced);
    if (result.length !== announced) throw new FormatError('zstd data is damaged: frame ends early');
    return result;
  }
  // No size announced (`zstd < in > out`): libzstd wants a bound, so it is tried with growing ones.
  for (
    let bound = Math.min(maxBytes, Math.max(1 << 20, frame.length * 8));
    ;
    bound = Math.min(maxBytes, bound * 4)
  ) {
    try {
      return run(zstd, frame, bound);
    } catch (error) {
      if (bound >= maxBytes || !isTooSmall(error)) throw error;
    }
  }
}

function run(zstd: ZstdModule, frame: Uint8Array, bound: number): Uint8Array {
  try {
    return zstd.decompress(frame, { defaultHeapSize: bound });
  } catch (cause) {
    throw damaged('zstd', cause);
  }
}

/** libzstd's ZSTD_error_dstSize_tooSmall is 70; the wrapper gives it only in the text. */
function isTooSmall(error: unknown): boolean {
  return error instanceof FormatError && error.message.endsWith('code -70');
}
