/* find.ts - which samples a list shows, and in which order. */
import { indexOf } from './changes';
import type { Sample } from '../data';

export type Order = 'row' | 'fall' | 'rise' | 'size' | 'sure' | 'unsure';

export interface Query {
  text: string;
  /** "": every one. */
  task: string;
  status: '' | Sample['status'];
  order: Order;
  /** The change at its largest is at least this many % in size; 0: whatever it is. */
  atLeast: number;
  /** Only those whose picture is on the page. */
  pictured: boolean;
}

export const EVERYTHING: Query = { text: '', task: '', status: '', order: 'row', atLeast: 0, pictured: false };

/** The change of the chosen flow on one sample; NaN: none. */
export type EffectOf = (sample: number) => number;

/** From the page's table of effects: the column's number of each sample. */
export function effectColumn(
  samples: readonly number[],
  nColumns: number,
  column: number,
  values: Float64Array,
): EffectOf {
  return (sample) => {
    const row = indexOf(samples, sample);
    return row < 0 || column < 0 ? NaN : values[row * nColumns + column]!;
  };
}

/** What a search looks in. */
function textOf(s: Sample): string {
  return [s.question, s.answer, s.predicted, s.questionId, s.image, s.object, s.task].join('\n').toLowerCase();
}

/** Lower-case texts of all samples, made once. */
export const searchTexts = (samples: readonly Sample[]): string[] => samples.map(textOf);

/** Indices into `samples`. Words are looked for one by one; samples without a number come last in an order by numbers. */
export function find(samples: readonly Sample[], texts: readonly string[], query: Query, effect: EffectOf): number[] {
  const words = query.text
    .toLowerCase()
    .split(/\s+/)
    .filter((w) => w !== '');
  const found: number[] = [];
  samples.forEach((s, i) => {
    if (query.task !== '' && s.task !== query.task) return;
    if (query.status !== '' && s.status !== query.status) return;
    if (query.pictured && s.picture === null) return;
    if (query.atLeast > 0 && !(Math.abs(effect(s.index)) >= query.atLeast)) return;
    if (words.every((w) => texts[i]!.includes(w))) found.push(i);
  });
  const key = sortKey(samples, query.order, effect);
  if (key === null) return found;
  const keys = new Map(found.map((i) => [i, key(i)]));
  return found.sort((a, b) => compare(keys.get(a)!, keys.get(b)!) || a - b);
}

function sortKey(samples: readonly Sample[], order: Order, effect: EffectOf): ((i: number) => number) | null {
  switch (order) {
    case 'row':
      return null;
    case 'fall':
      return (i) => effect(samples[i]!.index);
    case 'rise':
      return (i) => -effect(samples[i]!.index);
    case 'size':
      return (i) => -Math.abs(effect(samples[i]!.index));
    case 'sure':
      return (i) => -(samples[i]!.probability ?? NaN);
    case 'unsure':
      return (i) => samples[i]!.probability ?? NaN;
  }
}

function compare(a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  return a - b;
}
