/* statistic_rows.ts - the numbers behind the curves as rows: one for each curve and layer. */
import { studyLabel, taskKey, windowKey, type Placed } from './figure';
import type { Cell } from '../save';
import type { Page } from '../data';

export interface StatisticRow {
  study: string;
  task: string;
  flow: string;
  window: string;
  measure: string;
  layer: number;
  n: number;
  nEmpty: number;
  nWithout: number;
  mean: number | null;
  low: number | null;
  high: number | null;
  bootLow: number | null;
  bootHigh: number | null;
  median: number | null;
  p: number | null;
  r: number | null;
  absolute: number | null;
  absoluteLow: number | null;
  absoluteHigh: number | null;
}

export function rowAt(page: Page, placed: Placed, i: number): StatisticRow {
  const { curve: c, flow } = placed;
  return {
    study: studyLabel(page, placed.study),
    task: taskKey(c.task),
    flow,
    window: windowKey(c),
    measure: c.measure,
    layer: c.layer[i]!,
    n: c.n[i]!,
    nEmpty: c.nEmpty[i]!,
    nWithout: c.nWithout[i]!,
    mean: c.mean[i]!,
    low: c.low[i]!,
    high: c.high[i]!,
    bootLow: c.bootLow[i]!,
    bootHigh: c.bootHigh[i]!,
    median: c.median[i]!,
    p: c.p[i]!,
    r: c.r[i]!,
    absolute: c.absolute[i]!,
    absoluteLow: c.absoluteLow[i]!,
    absoluteHigh: c.absoluteHigh[i]!,
  };
}

export const statisticRows = (page: Page, placed: readonly Placed[]): StatisticRow[] =>
  placed.flatMap((p) => p.curve.layer.map((_, i) => rowAt(page, p, i)));

/** One row a curve: at its largest mean in size. */
export function strongestRows(page: Page, placed: readonly Placed[]): StatisticRow[] {
  return placed.flatMap((p) => {
    let best = -1;
    p.curve.mean.forEach((m, i) => {
      if (m !== null && (best < 0 || Math.abs(m) > Math.abs(p.curve.mean[best]!))) best = i;
    });
    return best < 0 ? [] : [rowAt(page, p, best)];
  });
}

export const rowsAtLayer = (page: Page, placed: readonly Placed[], layer: number): StatisticRow[] =>
  placed.flatMap((p) => {
    const i = p.curve.layer.indexOf(layer);
    return i < 0 ? [] : [rowAt(page, p, i)];
  });

/** Columns of the CSV file of a figure. */
export const CURVE_COLUMNS: readonly { head: string; cell: (row: StatisticRow) => Cell }[] = [
  { head: 'study', cell: (r) => r.study },
  { head: 'task', cell: (r) => r.task },
  { head: 'flow', cell: (r) => r.flow },
  { head: 'window', cell: (r) => r.window },
  { head: 'measure', cell: (r) => r.measure },
  { head: 'layer', cell: (r) => r.layer },
  { head: 'n', cell: (r) => r.n },
  { head: 'mean', cell: (r) => r.mean },
  { head: 'low', cell: (r) => r.low },
  { head: 'high', cell: (r) => r.high },
  { head: 'absolute', cell: (r) => r.absolute },
  { head: 'absolute low', cell: (r) => r.absoluteLow },
  { head: 'absolute high', cell: (r) => r.absoluteHigh },
];
