/* marks.ts - marks and dashes that tell lines apart without their colour. */
import {
  symbol,
  symbolCircle,
  symbolCross,
  symbolDiamond,
  symbolSquare,
  symbolStar,
  symbolTriangle,
  symbolWye,
  type SymbolType,
} from 'd3-shape';

const MARKS: readonly SymbolType[] = [
  symbolCircle,
  symbolSquare,
  symbolTriangle,
  symbolDiamond,
  symbolCross,
  symbolStar,
  symbolWye,
];

const DASHES = ['', '6 3', '1.5 3', '9 3 2 3', '3 2', '12 4'];

/** SVG path of a mark around (0, 0). */
export function mark(index: number, size = 24): string {
  return symbol(MARKS[Math.max(0, index) % MARKS.length], size)() ?? '';
}

/** Value of stroke-dasharray; undefined: a full line. */
export const dash = (index: number): string | undefined => DASHES[index % DASHES.length] || undefined;
