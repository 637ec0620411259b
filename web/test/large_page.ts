/* large_page.ts - a page as of the published question sets: 5,525 questions, 6 flows, 40 layers, values that do not compress. */
import { deflateSync } from 'node:zlib';
import type { PageData } from './page_file.ts';
import { sampleData } from './page_file.ts';
import { jsonOf } from './blobs.ts';
import type { Curve, Run, Sample, Study } from '../src/data.ts';

const TASKS: [string, number][] = [
  ['ChooseAttr', 1000],
  ['ChooseCat', 1000],
  ['ChooseRel', 964],
  ['CompareAttr', 570],
  ['LogicalObj', 991],
  ['QueryAttr', 1000],
];
export const N_SAMPLES = 5525;
export const N_FLOWS = 6;
export const N_LAYERS = 40;

function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

function planes(values: Float64Array): string {
  const bytes = new Uint8Array(values.buffer);
  const out = new Uint8Array(bytes.length);
  for (let k = 0; k < 8; k++) for (let i = 0; i < values.length; i++) out[k * values.length + i] = bytes[i * 8 + k]!;
  return deflateSync(out).toString('base64');
}

export function largePage(): PageData {
  const small = sampleData();
  const random = randomFrom(7);
  const base = small.page.studies[0]!;
  const kept = jsonOf(small, base.samples).filter((s) => s.status === 'done' && s.index !== 2);
  const samples: Sample[] = [];
  for (const [task, n] of TASKS)
    for (let row = 0; row < n; row++)
      samples.push({
        ...kept[row % kept.length]!,
        index: samples.length,
        task,
        row,
        questionId: String(100000 + samples.length),
        question: `Is the object of question ${samples.length} blue or orange?`,
        probability: 0.3 + 0.7 * random(),
        picture: null,
        detailed: false,
      });
  const runs: Run[] = [];
  for (let flow = 0; flow < N_FLOWS; flow++)
    for (let centre = 0; centre < N_LAYERS; centre++)
      runs.push({ flow, heads: 'all', repeat: 0, style: 'centre', window: 9, centre, layers: '' });
  const values = new Float64Array(samples.length * runs.length);
  for (let i = 0; i < values.length; i++) values[i] = Math.fround(random());
  const effects = new Float64Array(samples.length * N_FLOWS).map(() => -100 * random());
  const layer = Array.from({ length: N_LAYERS }, (_, l) => l);
  const list = (): number[] => layer.map(() => -60 * random());
  const curves: Curve[] = [...TASKS.map(([task]) => task), null].flatMap((task) =>
    Array.from({ length: N_FLOWS }, (_, flow): Curve => {
      const mean = layer.map((l) => -60 * Math.exp(-(((l - 5 * flow) / 4) ** 2)) + random());
      return {
        task,
        flow,
        style: 'centre',
        window: 9,
        measure: 'probability',
        layer,
        n: layer.map(() => 900),
        nEmpty: layer.map(() => 0),
        nWithout: layer.map(() => 0),
        mean,
        low: mean.map((m) => m - 1),
        high: mean.map((m) => m + 1),
        bootLow: list(),
        bootHigh: list(),
        median: list(),
        p: list().map(() => random()),
        r: list().map(() => random()),
        absolute: list(),
        absoluteLow: list(),
        absoluteHigh: list(),
        runs: layer.map((l) => [flow * N_LAYERS + l]),
      };
    }),
  );
  const text = Buffer.from(JSON.stringify(samples));
  const study: Study = {
    ...base,
    name: 'large.db',
    tasks: TASKS.map(([task]) => task),
    nLayers: N_LAYERS,
    measures: base.measures.slice(0, 1),
    curves,
    runs,
    nSamples: samples.length,
    samples: { id: 'blob-0', kind: 'json', n: text.length },
    values: [
      {
        measure: 'probability',
        samples: samples.map((s) => s.index),
        all: true,
        values: { id: 'blob-1', kind: 'f64', n: values.length },
        flags: { id: 'blob-2', kind: 'u8', n: values.length },
      },
    ],
    effects: {
      samples: samples.map((s) => s.index),
      columns: base.flows.map((_, flow) => ({ flow, style: 'centre', window: 9 })),
      values: { id: 'blob-3', kind: 'f64', n: effects.length },
    },
    details: { id: 'blob-4', kind: 'json', n: 2 },
    counts: { ...base.counts, done: samples.length, wrong: 0, fault: 0 },
  };
  return {
    page: { ...small.page, title: 'large.db', studies: [study], notes: [] },
    blobs: {
      'blob-0': deflateSync(text).toString('base64'),
      'blob-1': planes(values),
      'blob-2': deflateSync(new Uint8Array(values.length)).toString('base64'),
      'blob-3': planes(effects),
      'blob-4': deflateSync(Buffer.from('[]')).toString('base64'),
    },
  };
}
