/* heat.ts - a causal map as changes: numbers by frame, row and column, and what is shown of them at once. */
import { change, leastShown } from './changes';
import type { CausalMap, Comparison } from '../data';

export interface Heat {
  map: CausalMap;
  nFrames: number;
  nRows: number;
  nColumns: number;
  /** Changes, frames x rows x columns; NaN: no number. */
  changes: Float64Array;
  /** Values, likewise. */
  values: Float64Array;
  /** Largest change in size. */
  largest: number;
  /** End of the colour scale: a change that is nothing is not to look like one. */
  most: number;
}

export function heatOf(map: CausalMap, comparison: Comparison, values: Float64Array): Heat {
  const changes = values.map((v) => change(comparison, map.baseline, v));
  let largest = 0;
  for (const c of changes) if (Math.abs(c) > largest) largest = Math.abs(c);
  return {
    map,
    nFrames: Math.max(1, map.frames.length),
    nRows: Math.max(1, map.rows.length),
    nColumns: map.columns.length,
    changes,
    values,
    largest,
    most: Math.max(largest, leastShown(comparison)),
  };
}

/** Changes of one row of one frame: over the columns. */
export function frameRow(heat: Heat, frame: number, row: number): Float64Array {
  const at = (frame * heat.nRows + row) * heat.nColumns;
  return heat.changes.subarray(at, at + heat.nColumns);
}

/** Changes of one frame: rows x columns. */
export function frameOf(heat: Heat, frame: number): Float64Array {
  const n = heat.nRows * heat.nColumns;
  return heat.changes.subarray(frame * n, (frame + 1) * n);
}

/** One cell over the frames. */
export function overFrames(heat: Heat, row: number, column: number): number[] {
  return Array.from({ length: heat.nFrames }, (_, f) => heat.changes[(f * heat.nRows + row) * heat.nColumns + column]!);
}

/** The frame with the largest change in size: where a map opens. */
export function strongestFrame(heat: Heat): number {
  let at = 0;
  let most = -1;
  heat.changes.forEach((c, i) => {
    if (Math.abs(c) > most) {
      most = Math.abs(c);
      at = i;
    }
  });
  return Math.floor(at / (heat.nRows * heat.nColumns));
}

/** The row of a frame with the largest change in size. */
export function strongestRow(heat: Heat, frame: number): number {
  let at = 0;
  let most = -1;
  frameOf(heat, frame).forEach((c, i) => {
    if (Math.abs(c) > most) {
      most = Math.abs(c);
      at = i;
    }
  });
  return Math.floor(at / heat.nColumns);
}

/** "Layer 4: "; "" where a map has one set of layers. */
export const frameName = (map: CausalMap, frame: number): string =>
  map.frames.length > 0 ? `Layer ${map.frames[frame] ?? ''}: ` : '';
