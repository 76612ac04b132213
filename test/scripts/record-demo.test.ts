import { describe, expect, it } from "vitest";
import { toStill } from "../../scripts/record-demo/animation.ts";
import { createPalette } from "../../scripts/record-demo/palette.ts";
import type { Picture } from "../../scripts/record-demo/picture.ts";
import { readPng } from "../../scripts/record-demo/png.ts";

/** Returns a picture with one row, whose pixels have these colors. */
const toRow = (colors: readonly number[]): Picture => ({
  width: colors.length,
  height: 1,
  pixels: Uint8Array.from(colors.flatMap((color) => [color >> 16, (color >> 8) & 255, color & 255])),
});

describe("the pictures of the documentation", () => {
  it("keep every color if a picture has at most 256", () => {
    const picture = toRow(Array.from({ length: 256 }, (_, index) => index * 65_793));
    expect(readPng(toStill(picture))).toEqual(picture);
  });

  it("keep the frequent colors of a picture with more than 256, and replace a rare one by the nearest", () => {
    const steps = Array.from({ length: 300 }, (_, index) => 0x10_00_00 + index * 0x200);
    const frequent = [0xff_ff_ff, 0x00_00_ff];
    const picture = toRow([...steps, ...frequent.flatMap((color) => Array<number>(50).fill(color))]);
    const { colors, indexOf } = createPalette([picture]);
    expect(colors).toHaveLength(256);
    for (const color of frequent) expect(colors[indexOf(color)]).toBe(color);
    const changes = steps.map((color) => {
      const kept = colors[indexOf(color)] ?? 0;
      return [16, 8, 0].reduce((sum, shift) => sum + Math.abs(((kept >> shift) & 255) - ((color >> shift) & 255)), 0);
    });
    expect(Math.max(...changes)).toBeLessThanOrEqual(2);
  });
});
