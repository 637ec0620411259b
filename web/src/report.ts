/* report.ts - the page's data and what is chosen in it. Big things are decoded when a view first asks for them, once.
 *
 * Where the reader is (view, study, sample, map) stands in the address behind "#", so that back, forward and a bookmark work. */
import { signal, type Signal } from '@preact/signals';
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import { readFlags, readJson, readNumbers, type BlobSource } from './data';
import { heatOf, type Heat } from './study/heat';
import type { CausalMap, Comparison, Detail, MeasureName, Page, Sample, Study, ValueBlock } from './data';

export type View = 'overview' | 'samples' | 'maps';
const VIEWS: readonly View[] = ['overview', 'samples', 'maps'];

export interface Place {
  view: View;
  /** Indices; sample: Sample.index, or -1: the view chooses. */
  study: number;
  sample: number;
  map: number;
}

/** A probability near 1 hides what a logit difference shows: the map of that, where there is one. */
export function firstMap(maps: readonly CausalMap[]): number {
  const first = maps[0];
  if (first?.measure !== 'probability' || (first.baseline ?? 0) < 0.99) return 0;
  const other = maps.findIndex(
    (m) => m.measure === 'difference' && m.kind === first.kind && m.title === first.title && m.sample === first.sample,
  );
  return Math.max(0, other);
}

export interface Block {
  block: ValueBlock;
  values: Float64Array;
  flags: Uint8Array;
}

export class Report {
  readonly place: Signal<Place>;
  /** Where each view was left. */
  readonly #left = new Map<View, string>();
  readonly #decoded = new Map<string, Promise<unknown>>();

  constructor(
    readonly page: Page,
    readonly source: BlobSource,
  ) {
    this.place = signal(placeOf(location.hash, page));
    addEventListener('hashchange', () => this.#arrive(placeOf(location.hash, page)));
  }

  /** The study's place in the page's list must be right: callers pass what they took from it. */
  study(index: number): Study {
    return this.page.studies[index]!;
  }

  samples(study: number): Promise<Sample[]> {
    return this.#once(`samples ${study}`, () => readJson<Sample[]>(this.source, this.study(study).samples));
  }

  details(study: number): Promise<Map<number, Detail>> {
    return this.#once(`details ${study}`, async () => {
      const details = await readJson<Detail[]>(this.source, this.study(study).details);
      return new Map(details.map((d) => [d.sample, d]));
    });
  }

  /** null: the study has no values of this measure on the page. */
  values(study: number, measure: MeasureName): Promise<Block | null> {
    return this.#once(`values ${study} ${measure}`, async () => {
      const block = this.study(study).values.find((b) => b.measure === measure);
      if (block === undefined) return null;
      const [values, flags] = await Promise.all([
        readNumbers(this.source, block.values),
        readFlags(this.source, block.flags),
      ]);
      return { block, values, flags };
    });
  }

  effects(study: number): Promise<Float64Array | null> {
    return this.#once(`effects ${study}`, async () => {
      const effects = this.study(study).effects;
      return effects === null ? null : readNumbers(this.source, effects.values);
    });
  }

  heat(study: number, map: number): Promise<Heat> {
    return this.#once(`heat ${study} ${map}`, async () => {
      const causal = this.study(study).maps[map]!;
      return heatOf(causal, this.comparison(study, causal), await readNumbers(this.source, causal.values));
    });
  }

  comparison(study: number, map: CausalMap): Comparison {
    return this.study(study).measures.find((m) => m.name === map.measure)?.comparison ?? 'relative';
  }

  /** Studies of the same model, the given one first: what else is known of a question. */
  siblings(study: number): number[] {
    const others = this.page.studies.flatMap((s, i) => (i !== study && s.model === this.study(study).model ? [i] : []));
    return [study, ...others];
  }

  go(change: Partial<Place>): void {
    const place = { ...this.place.value, ...change };
    location.hash = hashOf(place);
    this.#arrive(place);
  }

  href(change: Partial<Place>): string {
    return hashOf({ ...this.place.value, ...change });
  }

  /** The address of a view, as it was left. */
  viewHref(view: View): string {
    return this.#left.get(view) ?? `#${view}`;
  }

  #arrive(place: Place): void {
    this.#left.set(place.view, hashOf(place));
    this.place.value = place;
  }

  #once<T>(key: string, make: () => Promise<T>): Promise<T> {
    const known = this.#decoded.get(key);
    if (known !== undefined) return known as Promise<T>;
    const made = make();
    this.#decoded.set(key, made);
    return made;
  }
}

function hashOf(place: Place): string {
  const { view, study, sample, map } = place;
  switch (view) {
    case 'overview':
      return '#overview';
    case 'samples':
      return sample < 0 ? `#samples/${study}` : `#samples/${study}/${sample}`;
    case 'maps':
      return `#maps/${study}/${map}`;
  }
}

/** The first study that has what a view shows. */
export function firstStudy(page: Page, view: View): number {
  const wanted = (s: Study): boolean => (view === 'maps' ? s.maps.length > 0 : s.nSamples > 0);
  return Math.max(0, page.studies.findIndex(wanted));
}

/** Whatever stands behind "#", a place that exists. */
export function placeOf(hash: string, page: Page): Place {
  const [name, study, item] = hash.replace(/^#/, '').split('/');
  const view = VIEWS.find((v) => v === name) ?? 'overview';
  const index = Number(study);
  const known = study !== undefined && Number.isInteger(index) && index >= 0 && index < page.studies.length;
  const there = known ? index : firstStudy(page, view);
  const at = item !== undefined && Number.isInteger(Number(item)) && Number(item) >= 0 ? Number(item) : null;
  return {
    view,
    study: there,
    sample: view === 'samples' ? (at ?? -1) : 0,
    map: view === 'maps' ? (at ?? firstMap(page.studies[there]?.maps ?? [])) : 0,
  };
}

export const ReportContext = createContext<Report | null>(null);

export function useReport(): Report {
  const report = useContext(ReportContext);
  if (report === null) throw new Error('a view outside of the report');
  return report;
}
