/** A picture: three bytes for each pixel, in rows from the top. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
}

/** Returns the color of a pixel, as 0xRRGGBB. */
export const toColor = ({ pixels }: Picture, pixel: number): number =>
  ((pixels[pixel * 3] ?? 0) << 16) | ((pixels[pixel * 3 + 1] ?? 0) << 8) | (pixels[pixel * 3 + 2] ?? 0);
