/* overview.tsx - all studies of the page: what was kept, the curves, their statistics, the lens, and where it all comes from. */
import { signal, type Signal } from '@preact/signals';
import { useMemo } from 'preact/hooks';
import { useReport, type Report } from '../report';
import { count, plural } from '../format';
import { firstChoice, hasCurves, type Choice } from '../study/figure';
import { CurvesSection } from './curves_section';
import { LensSection } from './lens_section';
import { Provenance } from './provenance';
import { Statistics } from './statistics';
import { Table, type Column } from './table';
import type { Study } from '../data';

/** What the overview shows; kept while another view is open. */
export interface OverviewState {
  choice: Signal<Choice>;
  /** A layer that was clicked: the table's. */
  picked: Signal<number | null>;
}

const states = new WeakMap<Report, OverviewState>();

export function overviewState(report: Report): OverviewState {
  const state = states.get(report) ?? { choice: signal(firstChoice(report.page)), picked: signal<number | null>(null) };
  states.set(report, state);
  return state;
}

const KINDS: Record<Study['kind'], string> = { trace: 'knockout', lens: 'lens', map: 'causal maps' };

interface StudyRow {
  study: Study;
  model: string;
}

const number = (head: string, cell: (study: Study) => number): Column<StudyRow> => ({
  head,
  cell: (r) => cell(r.study),
  show: (r) => count(cell(r.study)),
  number: true,
});

const STUDY_COLUMNS: Column<StudyRow>[] = [
  { head: 'study', cell: (r) => r.study.name },
  { head: 'model', cell: (r) => r.model },
  { head: 'kind', cell: (r) => KINDS[r.study.kind] },
  number('kept', (s) => s.counts.done),
  number('left out', (s) => s.counts.wrong),
  number('faults', (s) => s.counts.fault),
  number('layers', (s) => s.nLayers),
  number('flows', (s) => s.flows.length),
  { head: 'tasks', cell: (r) => r.study.tasks.join(', ') },
];

/** "895 of 1,003 questions kept": what every mean below is made of. */
function Lead() {
  const { page } = useReport();
  return (
    <section class="lead" aria-label="Studies">
      <h1>{page.title}</h1>
      <div class="studies">
        <Table
          name="studies"
          columns={STUDY_COLUMNS}
          rows={page.studies.map((study) => ({ study, model: page.models[study.model]?.name ?? '' }))}
          caption="Kept: the samples that every mean below is made of. Left out: by their answer. Faults: rows that could not be run."
        />
      </div>
      <Remarks />
    </section>
  );
}

function Remarks() {
  const { page } = useReport();
  const remarks = page.studies.flatMap((s) => remarksOf(s).map((text) => `${s.name}: ${text}`)).concat(page.notes);
  if (remarks.length === 0) return null;
  return (
    <details class="remarks">
      <summary>{plural(remarks.length, 'remark')}: values without a number, empty groups, faults</summary>
      <ul>
        {remarks.map((text) => (
          <li>{text}</li>
        ))}
      </ul>
    </details>
  );
}

function remarksOf({ counts: c, faults }: Study): string[] {
  const remarks: string[] = [];
  if (c.emptyGroup > 0)
    remarks.push(
      `${plural(c.emptyGroup, 'value')} with an empty group: nothing was cut, the baseline stands for them in the means`,
    );
  if (c.noVisibleEdge > 0)
    remarks.push(
      `${plural(c.noVisibleEdge, 'value')} without a visible edge: causality hides it already, the value is the baseline`,
    );
  if (c.fullyCut > 0)
    remarks.push(`${plural(c.fullyCut, 'value')} fully cut: a query lost every key, there is no number`);
  if (c.tooFewKeys > 0)
    remarks.push(`${plural(c.tooFewKeys, 'value')} with too few keys for a random control: there is no number`);
  for (const fault of faults) remarks.push(`${plural(fault.n, 'fault')}: ${fault.reason}`);
  return remarks;
}

export function Overview() {
  const report = useReport();
  const state = useMemo(() => overviewState(report), [report]);
  return (
    <div class="overview">
      <Lead />
      {report.page.studies.some(hasCurves) && <CurvesSection state={state} />}
      {report.page.studies.some(hasCurves) && <Statistics state={state} />}
      {report.page.studies.map((s, i) => s.lens.length > 0 && <LensSection key={s.name} study={i} />)}
      <Provenance />
    </div>
  );
}
