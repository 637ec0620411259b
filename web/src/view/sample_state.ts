/* sample_state.ts - what the samples' view shows; kept while another view is open and from one sample to the next. */
import { signal, type Signal } from '@preact/signals';
import { windowKey } from '../study/figure';
import { EVERYTHING, type Query } from '../study/find';
import type { MeasureName, Study } from '../data';
import type { Report } from '../report';

export interface SampleState {
  query: Signal<Query>;
  /** Of Study.effects.columns: what the list is ordered by. */
  column: Signal<number>;
  measure: Signal<MeasureName>;
  window: Signal<string>;
  absolute: Signal<boolean>;
  hidden: Signal<ReadonlySet<string>>;
  grid: Signal<boolean>;
  boxes: Signal<boolean>;
  patches: Signal<boolean>;
  tiles: Signal<'base' | 'hd'>;
  /** Of the list: pixels. */
  scroll: Signal<number>;
}

const states = new WeakMap<Report, Map<number, SampleState>>();

export function sampleState(report: Report, study: number): SampleState {
  const ofReport = states.get(report) ?? new Map<number, SampleState>();
  states.set(report, ofReport);
  const state = ofReport.get(study) ?? freshState(report.study(study));
  ofReport.set(study, state);
  return state;
}

function freshState(study: Study): SampleState {
  return {
    query: signal(EVERYTHING),
    column: signal(0),
    measure: signal(study.values[0]?.measure ?? 'probability'),
    window: signal(study.curves[0] ? windowKey(study.curves[0]) : ''),
    absolute: signal(false),
    hidden: signal<ReadonlySet<string>>(new Set()),
    grid: signal(true),
    boxes: signal(true),
    patches: signal(true),
    tiles: signal('base'),
    scroll: signal(0),
  };
}
