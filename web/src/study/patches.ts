/* patches.ts - where a position of the prompt lies: a rectangle of the picture, the newline behind a row, or a token. */
import type { PatchGrid, Sample } from '../data';

export interface Patch {
  grid: number;
  row: number;
  column: number;
  /** In pixels of the picture. */
  x: number;
  y: number;
  w: number;
  h: number;
}

/** The patch at a position; null for newlines and text. */
export function patchAt(grids: readonly PatchGrid[], position: number): Patch | null {
  for (const [i, grid] of grids.entries()) {
    const stride = grid.columns + grid.newline;
    const offset = position - grid.at;
    if (offset < 0 || offset >= grid.rows * stride) continue;
    const row = Math.floor(offset / stride);
    const column = offset % stride;
    if (column >= grid.columns) return null;
    return { grid: i, row, column, x: grid.x + column * grid.dx, y: grid.y + row * grid.dy, w: grid.dx, h: grid.dy };
  }
  return null;
}

export const positionOf = (grid: PatchGrid, row: number, column: number): number =>
  grid.at + row * (grid.columns + grid.newline) + column;

/** The position that an arrow key leads to from a patch, or from nowhere; null: the key leads nowhere. */
export function neighbour(grids: readonly PatchGrid[], from: number | null, key: string): number | null {
  const steps: Record<string, [number, number]> = {
    ArrowUp: [-1, 0],
    ArrowDown: [1, 0],
    ArrowLeft: [0, -1],
    ArrowRight: [0, 1],
  };
  const step = steps[key];
  const first = grids[0];
  if (step === undefined || first === undefined) return null;
  const patch = from === null ? null : patchAt(grids, from);
  if (patch === null) return first.at;
  const grid = grids[patch.grid]!;
  const row = Math.max(0, Math.min(grid.rows - 1, patch.row + step[0]));
  const column = Math.max(0, Math.min(grid.columns - 1, patch.column + step[1]));
  return positionOf(grid, row, column);
}

export interface Rectangle {
  x: number;
  y: number;
  w: number;
  h: number;
}

/** The picture with everything that a grid adds around it. */
export function extent(sample: Sample): Rectangle {
  let [x0, y0, x1, y1] = [0, 0, sample.pictureWidth, sample.pictureHeight];
  for (const g of sample.grids) {
    x0 = Math.min(x0, g.x);
    y0 = Math.min(y0, g.y);
    x1 = Math.max(x1, g.x + g.columns * g.dx);
    y1 = Math.max(y1, g.y + g.rows * g.dy);
  }
  return { x: x0, y: y0, w: x1 - x0, h: y1 - y0 };
}

export function inSpans(spans: readonly (readonly [number, number])[] | undefined, position: number): boolean {
  return spans?.some(([begin, end]) => position >= begin && position < end) ?? false;
}

/** Names of the groups that have a position, in the study's order. */
export const groupsAt = (sample: Sample, position: number): string[] =>
  Object.entries(sample.groups)
    .filter(([, spans]) => inSpans(spans, position))
    .map(([name]) => name);

/** The prompt, position by position: one entry a token, one for all of the picture. */
export interface PromptPart {
  /** Of the token, or the picture's first. */
  position: number;
  /** Half-open. */
  end: number;
  /** null: the picture. */
  token: string | null;
}

export function promptOf(sample: Sample): PromptPart[] {
  const nImage = sample.nTokens - (sample.tokens.length - 1);
  let position = 0;
  return sample.tokens.map((token) => {
    const end = position + (token === null ? nImage : 1);
    const part = { position, end, token };
    position = end;
    return part;
  });
}
