// Stands in for the package hysnappy: its WebAssembly is code that the page's policy does not let in.
import { snappyUncompress as uncompressInto } from "hyparquet";

/** Gives back the `outputLength` bytes that were compressed. */
export function snappyUncompress(input: Uint8Array, outputLength: number): Uint8Array {
  const output = new Uint8Array(outputLength);
  uncompressInto(input, output);
  return output;
}

export function snappyUncompressor(): typeof snappyUncompress {
  return snappyUncompress;
}
