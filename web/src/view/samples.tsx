/* samples.tsx - every sample of a study in a list that is searched, filtered and ordered, and one of them in full. */
import { useEffect, useMemo } from 'preact/hooks';
import { useReport } from '../report';
import { count, flowName, number, plural, windowName } from '../format';
import { effectColumn, find, searchTexts, type EffectOf, type Order, type Query } from '../study/find';
import { studyLabel } from '../study/figure';
import { useLoaded, valueOf } from './hooks';
import { Check, Menu, Pending } from './parts';
import { SampleView } from './sample';
import { sampleState, type SampleState } from './sample_state';
import { VirtualList } from './virtual_list';
import type { Sample, Study } from '../data';

const ROW = 56;

const ORDERS: readonly { value: Order; label: string }[] = [
  { value: 'row', label: 'as in the file' },
  { value: 'fall', label: 'largest fall first' },
  { value: 'rise', label: 'largest rise first' },
  { value: 'size', label: 'largest change first' },
  { value: 'sure', label: 'surest answer first' },
  { value: 'unsure', label: 'least sure answer first' },
];

const STATUS: readonly { value: Query['status']; label: string }[] = [
  { value: '', label: 'every answer' },
  { value: 'done', label: 'kept' },
  { value: 'wrong', label: 'left out' },
  { value: 'fault', label: 'faults' },
];

export function Samples() {
  const report = useReport();
  const { study, sample } = report.place.value;
  const loaded = useLoaded(`samples ${study}`, () => report.samples(study));
  if (loaded.state !== 'done') return <Pending loaded={loaded} />;
  // Nothing chosen: one whose picture is there to be seen.
  const chosen =
    sample < 0
      ? Math.max(
          0,
          loaded.value.findIndex((s) => s.picture !== null),
        )
      : sample;
  return <Browser key={study} study={study} samples={loaded.value} chosen={chosen} />;
}

function Browser(props: { study: number; samples: Sample[]; chosen: number }) {
  const report = useReport();
  const study = report.study(props.study);
  const state = useMemo(() => sampleState(report, props.study), [props.study]);
  const effects = valueOf(useLoaded(`effects ${props.study}`, () => report.effects(props.study)));
  const texts = useMemo(() => searchTexts(props.samples), [props.samples]);
  const column = state.column.value;
  const effect: EffectOf = useMemo(
    () =>
      study.effects && effects
        ? effectColumn(study.effects.samples, study.effects.columns.length, column, effects)
        : () => NaN,
    [effects, column],
  );
  const query = state.query.value;
  const found = useMemo(() => find(props.samples, texts, query, effect), [texts, query, effect]);
  const at = found.indexOf(props.chosen);
  const choose = (to: number): void => {
    const index = found[to];
    if (index !== undefined) report.go({ view: 'samples', study: props.study, sample: index });
  };
  useEffect(() => {
    const key = (event: KeyboardEvent): void => {
      if (event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement) return;
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === 'j') choose(at + 1);
      if (event.key === 'k') choose(at < 0 ? 0 : at - 1);
    };
    addEventListener('keydown', key);
    return () => removeEventListener('keydown', key);
  });
  const sample = props.samples[props.chosen] ?? props.samples[0];
  return (
    <div class="samples">
      <aside class="browser" aria-label="Samples">
        <Filters study={study} state={state} index={props.study} />
        <p class="found" aria-live="polite">
          {found.length === props.samples.length
            ? plural(found.length, 'sample')
            : `${count(found.length)} of ${plural(props.samples.length, 'sample')}`}
        </p>
        <VirtualList
          label="Samples"
          length={found.length}
          rowHeight={ROW}
          chosen={at}
          onChoose={choose}
          scroll={state.scroll}
          keyOf={(i) => found[i]!}
          row={(i) => <ListRow sample={props.samples[found[i]!]!} effect={effect(props.samples[found[i]!]!.index)} />}
        />
      </aside>
      {sample && (
        <SampleView
          key={sample.index}
          study={props.study}
          sample={sample}
          state={state}
          onPrevious={at > 0 ? () => choose(at - 1) : undefined}
          onNext={at + 1 < found.length ? () => choose(at + 1) : undefined}
          place={at < 0 ? 'not in the list' : `${count(at + 1)} of ${count(found.length)}`}
        />
      )}
    </div>
  );
}

function ListRow(props: { sample: Sample; effect: number }) {
  const { sample: s, effect } = props;
  return (
    <>
      <span class="list-question">{s.question}</span>
      <span class="list-about">
        <span class={`status ${s.status}`}>{s.status === 'fault' ? 'fault' : s.predicted || '–'}</span>
        <span>{s.task}</span>
        {!Number.isNaN(effect) && (
          <span class="list-effect">
            <span
              class={effect < 0 ? 'bar fall' : 'bar rise'}
              style={{ width: `${Math.min(100, Math.abs(effect)) * 0.5}px` }}
            />
            {number(effect, 1)} %
          </span>
        )}
      </span>
    </>
  );
}

function Filters(props: { study: Study; state: SampleState; index: number }) {
  const report = useReport();
  const { study, state } = props;
  const query = state.query.value;
  const set = (change: Partial<Query>): void => {
    state.query.value = { ...state.query.value, ...change };
    state.scroll.value = 0;
  };
  const studies = report.page.studies.flatMap((s, i) => (s.nSamples > 0 ? [i] : []));
  const columns = study.effects?.columns ?? [];
  const windows = new Set(columns.map((c) => windowName(c.style, c.window)));
  return (
    <div class="filters">
      {studies.length > 1 && (
        <Menu
          label="Study"
          value={String(props.index)}
          options={studies.map((i) => ({ value: String(i), label: studyLabel(report.page, i) }))}
          onChange={(value) => report.go({ view: 'samples', study: Number(value), sample: -1 })}
        />
      )}
      <input
        type="search"
        placeholder="Search questions and answers"
        aria-label="Search questions and answers"
        value={query.text}
        onInput={(event) => set({ text: event.currentTarget.value })}
      />
      <Menu
        label="Task"
        value={query.task}
        options={[{ value: '', label: 'every task' }, ...study.tasks.map((t) => ({ value: t, label: t }))]}
        onChange={(task) => set({ task })}
      />
      <Menu
        label="Answer"
        value={query.status}
        options={STATUS}
        onChange={(status) => set({ status: STATUS.find((s) => s.value === status)?.value ?? '' })}
      />
      <Menu
        label="Order"
        value={query.order}
        options={columns.length > 0 ? ORDERS : ORDERS.filter((o) => !['fall', 'rise', 'size'].includes(o.value))}
        onChange={(order) => set({ order: ORDERS.find((o) => o.value === order)?.value ?? 'row' })}
      />
      {columns.length > 0 && (
        <Menu
          label="Effect of"
          value={String(state.column.value)}
          options={columns.map((c, i) => ({
            value: String(i),
            label:
              flowName(study.flows[c.flow]?.text ?? '') +
              (windows.size > 1 ? `, ${windowName(c.style, c.window)}` : ''),
          }))}
          onChange={(value) => (state.column.value = Number(value))}
        />
      )}
      <Check on={query.pictured} onChange={(pictured) => set({ pictured })}>
        only with a picture on this page
      </Check>
      {columns.length > 0 && (
        <label class="range">
          at least
          <input
            type="range"
            min={0}
            max={100}
            step={1}
            value={query.atLeast}
            aria-valuetext={`${query.atLeast} %`}
            onInput={(event) => set({ atLeast: Number(event.currentTarget.value) })}
          />
          <output>{query.atLeast} %</output>
        </label>
      )}
    </div>
  );
}
