/* blobs.ts - a page's blobs, read without the page's own code: what the tests compare with. */
import { inflateSync } from 'node:zlib';
import type { PageData } from './page_file.ts';
import type { BytesBlob, JsonBlob, NumbersBlob } from '../src/data.ts';

function bytesOf(data: PageData, id: string): Buffer {
  return inflateSync(Buffer.from(data.blobs[id]!, 'base64'));
}

export function numbersOf(data: PageData, blob: NumbersBlob): number[] {
  const planes = bytesOf(data, blob.id);
  return Array.from({ length: blob.n }, (_, i) =>
    Buffer.from(Array.from({ length: 8 }, (_, k) => planes[k * blob.n + i]!)).readDoubleLE(),
  );
}

export const flagsOf = (data: PageData, blob: BytesBlob): number[] => [...bytesOf(data, blob.id)];

export const jsonOf = <T>(data: PageData, blob: JsonBlob<T>): T => JSON.parse(bytesOf(data, blob.id).toString()) as T;
