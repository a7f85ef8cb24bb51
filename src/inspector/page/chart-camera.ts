/**
 * Where a drawing is placed in its frame: near enough to read, with what matters in the middle; or all
 * of it. Pure.
 */

/** A rectangle, in the units of the drawing. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A size in pixels, or in the units of the drawing. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** How the drawing is moved and scaled. */
export interface Placement {
  readonly x: number;
  readonly y: number;
  readonly scale: number;
}

/** From here on, the names of states are easily read. */
const READABLE = 1.25;
const CLOSEST = 1.5;

/** All of the drawing, in the middle. */
export function placeWhole(frame: Size, drawing: Size): Placement {
  const scale = Math.min(frame.width / drawing.width, frame.height / drawing.height, CLOSEST);
  return {
    scale,
    x: (frame.width - drawing.width * scale) / 2,
    y: (frame.height - drawing.height * scale) / 2,
  };
}

/** The box in the middle, large enough to read; no further beyond the drawing's edge than needed. */
export function placeAround(frame: Size, drawing: Size, box: Box): Placement {
  const whole = placeWhole(frame, drawing);
  const scale = Math.max(whole.scale, READABLE);
  const along = (framed: number, drawn: number, middle: number) => {
    const size = drawn * scale;
    if (size <= framed) return (framed - size) / 2;
    return Math.min(0, Math.max(framed - size, framed / 2 - middle * scale));
  };
  return {
    scale,
    x: along(frame.width, drawing.width, box.x + box.width / 2),
    y: along(frame.height, drawing.height, box.y + box.height / 2),
  };
}

/** The box around boxes; the first one alone where they are too far apart to be seen together. */
export function boxAround(boxes: readonly Box[], frame: Size): Box | undefined {
  const [first] = boxes;
  if (first === undefined) return undefined;
  const x = Math.min(...boxes.map((box) => box.x));
  const y = Math.min(...boxes.map((box) => box.y));
  const width = Math.max(...boxes.map((box) => box.x + box.width)) - x;
  const height = Math.max(...boxes.map((box) => box.y + box.height)) - y;
  const fits = width * READABLE <= frame.width && height * READABLE <= frame.height;
  return fits ? { x, y, width, height } : first;
}
