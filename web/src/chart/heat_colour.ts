/* heat_colour.ts - colours of causal maps: vermilion where the measure falls, blue where it rises, as opaque as the change is
 * large. No change is no colour, so that a picture under the map stays visible, and light and dark pages need no other. */
import { pair } from '../palette';

export const FALL_HEX = '#d55e00';
export const RISE_HEX = '#0072b2';

const FALL = [213, 94, 0] as const;
const RISE = [0, 114, 178] as const;

export interface Paint {
  fill: string;
  opacity: number;
}

/** most: the change that is painted fully opaque. */
export function paint(change: number, most: number): Paint {
  const opacity = most > 0 && !Number.isNaN(change) ? Math.min(1, Math.abs(change) / most) : 0;
  return { fill: pair(change < 0 ? FALL_HEX : RISE_HEX), opacity };
}

/** A picture of changes, one pixel each, row by row: a data URL. For maps of more cells than a page draws as shapes. */
export function heatImage(changes: ArrayLike<number>, columns: number, rows: number, most: number): string {
  const canvas = document.createElement('canvas');
  canvas.width = columns;
  canvas.height = rows;
  const context = canvas.getContext('2d');
  if (context === null || columns === 0 || rows === 0) return '';
  const image = context.createImageData(columns, rows);
  for (let i = 0; i < columns * rows; i++) {
    const change = changes[i]!;
    const [r, g, b] = change < 0 ? FALL : RISE;
    image.data.set([r, g, b, Math.round(255 * paint(change, most).opacity)], 4 * i);
  }
  context.putImageData(image, 0, 0);
  return canvas.toDataURL();
}
