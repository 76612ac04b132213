import { crc32, deflateSync, inflateSync } from "node:zlib";
import type { Palette } from "./palette.ts";
import { type Picture, toColor } from "./picture.ts";

/** A part of a picture. */
export interface Area {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** The first bytes of a PNG file. @see https://www.w3.org/TR/png-3/#5PNG-file-signature */
export const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

/** Returns a chunk of a PNG file. @see https://www.w3.org/TR/png-3/#5Chunk-layout */
export function toChunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}

/**
 * Reads a screenshot, or a PNG of `toStill`: 8 bits for each channel or index, not interlaced.
 *
 * @throws TypeError for any other kind of PNG.
 */
export function readPng(file: Buffer): Picture {
  const parts: Buffer[] = [];
  let header: Buffer = Buffer.alloc(13);
  let palette: Buffer | undefined;
  for (let at = signature.length; at < file.length; ) {
    const length = file.readUInt32BE(at);
    const type = file.toString("latin1", at + 4, at + 8);
    const data = file.subarray(at + 8, at + 8 + length);
    if (type === "IHDR") header = data;
    if (type === "PLTE") palette = data;
    if (type === "IDAT") parts.push(data);
    at += length + 12;
  }
  const [width, height] = [header.readUInt32BE(0), header.readUInt32BE(4)];
  const channels = { 2: 3, 3: 1, 6: 4 }[header[9] ?? 0];
  if (channels === undefined || header[8] !== 8 || header[12] !== 0) throw new TypeError("not a screenshot");
  const raw = removeFilters(inflateSync(Buffer.concat(parts)), { width, height, channels });
  const pixels = new Uint8Array(width * height * 3);
  const read = (i: number, c: number) =>
    palette === undefined ? raw[i * channels + c] : palette[(raw[i] ?? 0) * 3 + c];
  for (let i = 0; i < width * height; i++) for (let c = 0; c < 3; c++) pixels[i * 3 + c] = read(i, c) ?? 0;
  return { width, height, pixels };
}

/** @see https://www.w3.org/TR/png-3/#9Filters */
function removeFilters(
  data: Buffer,
  { width, height, channels }: { readonly width: number; readonly height: number; readonly channels: number },
): Uint8Array {
  const stride = width * channels;
  const out = new Uint8Array(stride * height);
  for (let y = 0; y < height; y++) {
    const filter = data[y * (stride + 1)];
    for (let x = 0; x < stride; x++) {
      const at = y * stride + x;
      const left = x < channels ? 0 : (out[at - channels] ?? 0);
      const up = y === 0 ? 0 : (out[at - stride] ?? 0);
      const corner = x < channels || y === 0 ? 0 : (out[at - stride - channels] ?? 0);
      const guess = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter ?? 0] ?? 0;
      out[at] = (data[y * (stride + 1) + 1 + x] ?? 0) + guess;
    }
  }
  return out;
}

function paeth(left: number, up: number, corner: number): number {
  const base = left + up - corner;
  const [a, b, c] = [Math.abs(base - left), Math.abs(base - up), Math.abs(base - corner)];
  if (a <= b && a <= c) return left;
  return b <= c ? up : corner;
}

/** Returns the compressed pixels of an area, each as its index in the palette. The rows have no filter. */
export function toImageData(picture: Picture, area: Area, { indexOf }: Palette): Buffer {
  const rows = Buffer.alloc((area.width + 1) * area.height);
  for (let y = 0; y < area.height; y++) {
    const [row, first] = [y * (area.width + 1) + 1, (area.y + y) * picture.width + area.x];
    for (let x = 0; x < area.width; x++) rows[row + x] = indexOf(toColor(picture, first + x));
  }
  return deflateSync(rows, { level: 9 });
}

/** Returns the smallest area that contains every difference, or `null` if there is none. */
export function findDifference(one: Picture, other: Picture): Area | null {
  let [left, top, right, bottom] = [one.width, one.height, -1, -1];
  for (let y = 0; y < one.height; y++) {
    for (let x = 0; x < one.width; x++) {
      const at = (y * one.width + x) * 3;
      const isSame = [0, 1, 2].every((c) => one.pixels[at + c] === other.pixels[at + c]);
      if (isSame) continue;
      [left, top, right, bottom] = [Math.min(left, x), Math.min(top, y), Math.max(right, x), Math.max(bottom, y)];
    }
  }
  return right < 0 ? null : { x: left, y: top, width: right - left + 1, height: bottom - top + 1 };
}
