/* changes.ts - the curves of one sample, from the values of its runs. The rules are those of the program: repeats of a random
 * control are averaged within their sample, a value without a number is none, never 0. */
import { windowKey } from './figure';
import type { Comparison, MeasureName, Sample, Study, ValueBlock } from '../data';

/** v2 against v1; NaN: no number. */
export function change(comparison: Comparison, v1: number | null | undefined, v2: number): number {
  switch (comparison) {
    case 'relative':
      return v1 == null || v1 === 0 ? NaN : (100 * (v2 - v1)) / v1;
    case 'difference':
      return v1 == null ? NaN : v2 - v1;
    case 'share':
      return 100 * v2;
    case 'none':
      return NaN;
  }
}

/** The smallest change that a scale is made for, in the change's unit: below it there is nothing to see but rounding. */
export const leastShown = (comparison: Comparison): number => (comparison === 'difference' ? 0.1 : 1);

/** The measure with nothing done. */
export function baselineOf(sample: Sample, measure: MeasureName): number | null | undefined {
  return measure === 'probability' ? sample.probability : sample.baselines[measure];
}

export const FLAGS = ['', 'empty group', 'no visible edge', 'fully cut', 'too few keys'] as const;

export interface SampleCurve {
  flow: number;
  window: string;
  layer: number[];
  /** Mean over repeats; null: no number. */
  change: (number | null)[];
  value: (number | null)[];
  /** Of the first repeat. */
  flag: string[];
}

function mean(values: readonly number[]): number | null {
  const numbers = values.filter((v) => !Number.isNaN(v));
  return numbers.length === 0 ? null : numbers.reduce((a, b) => a + b, 0) / numbers.length;
}

/** Every curve of a sample in one measure; none where the page has no values of it. */
export function curvesOf(
  study: Study,
  sample: Sample,
  block: ValueBlock,
  values: Float64Array,
  flags: Uint8Array,
): SampleCurve[] {
  const row = indexOf(block.samples, sample.index);
  const measure = study.measures.find((m) => m.name === block.measure);
  if (row < 0 || measure === undefined) return [];
  const v1 = baselineOf(sample, block.measure);
  const at = row * study.runs.length;
  const curves = new Map<string, Map<number, number[]>>();
  study.runs.forEach((run, j) => {
    if (flags[at + j] === 255) return;
    const key = `${run.flow} ${windowKey(run)}`;
    const layers = curves.get(key) ?? new Map<number, number[]>();
    curves.set(key, layers);
    layers.set(run.centre, [...(layers.get(run.centre) ?? []), j]);
  });
  return [...curves].map(([key, layers]) => {
    const layer = [...layers.keys()].sort((a, b) => a - b);
    const runs = layer.map((l) => layers.get(l)!);
    const space = key.indexOf(' ');
    return {
      flow: Number(key.slice(0, space)),
      window: key.slice(space + 1),
      layer,
      change: runs.map((js) => mean(js.map((j) => change(measure.comparison, v1, values[at + j]!)))),
      value: runs.map((js) => mean(js.map((j) => values[at + j]!))),
      flag: runs.map((js) => FLAGS[flags[at + js[0]!]!] ?? ''),
    };
  });
}

/** Place of a number in a rising list, or -1. */
export function indexOf(rising: readonly number[], value: number): number {
  let low = 0;
  let high = rising.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rising[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return rising[low] === value ? low : -1;
}
