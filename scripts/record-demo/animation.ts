import { createPalette, type Palette } from "./palette.ts";
import type { Picture } from "./picture.ts";
import { type Area, findDifference, signature, toChunk, toImageData } from "./png.ts";

/** A frame, and for how many milliseconds it is shown. */
export interface Frame {
  readonly picture: Picture;
  readonly duration: number;
}

/**
 * Returns an animated PNG that plays once and again. Each frame has only what differs from the one before.
 *
 * @see https://www.w3.org/TR/png-3/#apng-frame-based-animation
 */
export function toAnimation(frames: readonly Frame[]): Buffer {
  const [first] = frames;
  if (first === undefined) throw new TypeError("no frames");
  const { width, height } = first.picture;
  const palette = createPalette(frames.map(({ picture }) => picture));
  const chunks = [...toStart(first.picture, palette), toChunk("acTL", toNumbers([frames.length, 0]))];
  let sequence = 0;
  for (const [index, { picture, duration }] of frames.entries()) {
    const before = frames[index - 1]?.picture;
    const whole: Area = { x: 0, y: 0, width, height };
    const area = before === undefined ? whole : (findDifference(before, picture) ?? { ...whole, width: 1, height: 1 });
    const control = [sequence++, area.width, area.height, area.x, area.y];
    chunks.push(toChunk("fcTL", Buffer.concat([toNumbers(control), toDelay(duration)])));
    const data = toImageData(picture, area, palette);
    chunks.push(index === 0 ? toChunk("IDAT", data) : toChunk("fdAT", Buffer.concat([toNumbers([sequence++]), data])));
  }
  return Buffer.concat([...chunks, toChunk("IEND", Buffer.alloc(0))]);
}

/** Returns a PNG of one picture. */
export function toStill(picture: Picture): Buffer {
  const { width, height } = picture;
  const palette = createPalette([picture]);
  return Buffer.concat([
    ...toStart(picture, palette),
    toChunk("IDAT", toImageData(picture, { x: 0, y: 0, width, height }, palette)),
    toChunk("IEND", Buffer.alloc(0)),
  ]);
}

/** Returns the first chunks: of an indexed PNG with 8 bits for each pixel. */
function toStart({ width, height }: Picture, { colors }: Palette): readonly Buffer[] {
  const header = Buffer.concat([toNumbers([width, height]), Buffer.from([8, 3, 0, 0, 0])]);
  const table = Buffer.from(colors.flatMap((color) => [color >> 16, (color >> 8) & 255, color & 255]));
  return [signature, toChunk("IHDR", header), toChunk("PLTE", table)];
}

/** Milliseconds, as a fraction. The frame stays, and the next one is drawn over it. */
function toDelay(milliseconds: number): Buffer {
  const bytes = Buffer.alloc(6);
  bytes.writeUInt16BE(Math.min(65_535, Math.round(milliseconds)));
  bytes.writeUInt16BE(1_000, 2);
  return bytes;
}

function toNumbers(numbers: readonly number[]): Buffer {
  const bytes = Buffer.alloc(numbers.length * 4);
  for (const [index, number] of numbers.entries()) bytes.writeUInt32BE(number, index * 4);
  return bytes;
}
