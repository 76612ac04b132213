import { type Picture, toColor } from "./picture.ts";

/** The colors of an indexed PNG, which is a third of the size of one with three bytes for each pixel. */
export interface Palette {
  /** At most 256 colors, each as 0xRRGGBB. */
  readonly colors: readonly number[];
  /** Returns the index of the color that is nearest to this one. */
  readonly indexOf: (color: number) => number;
}

const maxColors = 256;

/**
 * Returns a palette for pictures. If they have more than 256 colors, it adds one color after another: the one whose pixels would be
 * changed most.
 */
export function createPalette(pictures: readonly Picture[]): Palette {
  const counts = new Map<number, number>();
  for (const picture of pictures) {
    for (let pixel = 0; pixel < picture.width * picture.height; pixel++) {
      const color = toColor(picture, pixel);
      counts.set(color, (counts.get(color) ?? 0) + 1);
    }
  }
  const known = [...counts].map(([color, count]) => ({ color, count, index: 0, distance: Number.MAX_SAFE_INTEGER }));
  const colors: number[] = [];
  for (let index = 0; index < Math.min(maxColors, known.length); index++) {
    const worst = known.reduce((one, other) => (toError(other) > toError(one) ? other : one));
    colors.push(worst.color);
    for (const one of known) {
      const distance = findDistance(one.color, worst.color);
      if (distance < one.distance) Object.assign(one, { index, distance });
    }
  }
  const indexes = new Map(known.map(({ color, index }) => [color, index]));
  return { colors, indexOf: (color) => indexes.get(color) ?? 0 };
}

const toError = ({ count, distance }: { readonly count: number; readonly distance: number }) => count * distance;

/** Returns the square of the distance of two colors. */
function findDistance(one: number, other: number): number {
  const part = (shift: number) => ((one >> shift) & 255) - ((other >> shift) & 255);
  return part(16) ** 2 + part(8) ** 2 + part(0) ** 2;
}
