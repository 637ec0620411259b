/* statistics.tsx - the table of what the figure shows: where each curve is strongest, at one layer, or everywhere. */
import { useState } from 'preact/hooks';
import { useReport } from '../report';
import { flowName, number, pValue } from '../format';
import { chosenCurves, measuresOf } from '../study/figure';
import { rowsAtLayer, statisticRows, strongestRows, type StatisticRow } from '../study/statistic_rows';
import { digitsOf } from './curves_section';
import { Choose, Menu } from './parts';
import { Table, type Column } from './table';
import type { OverviewState } from './overview';

type At = 'strongest' | 'layer' | 'all';

function columnsOf(rows: readonly StatisticRow[], digits: number): Column<StatisticRow>[] {
  const several = (key: (r: StatisticRow) => unknown): boolean => new Set(rows.map(key)).size > 1;
  const numeric = (head: string, cell: (r: StatisticRow) => number | null, show = digits): Column<StatisticRow> => ({
    head,
    cell,
    show: (r) => number(cell(r), show),
    number: true,
  });
  const plain = (head: string, cell: (r: StatisticRow) => number): Column<StatisticRow> => ({
    head,
    cell,
    number: true,
  });
  return [
    ...(several((r) => r.study) ? [{ head: 'study', cell: (r: StatisticRow) => r.study }] : []),
    { head: 'task', cell: (r) => r.task },
    { head: 'flow', cell: (r) => r.flow, show: (r) => flowName(r.flow) },
    ...(several((r) => r.window) ? [{ head: 'window', cell: (r: StatisticRow) => r.window }] : []),
    plain('layer', (r) => r.layer),
    plain('n', (r) => r.n),
    plain('empty', (r) => r.nEmpty),
    plain('without', (r) => r.nWithout),
    numeric('mean', (r) => r.mean),
    numeric('boot. low', (r) => r.bootLow),
    numeric('boot. high', (r) => r.bootHigh),
    numeric('median', (r) => r.median),
    { head: 'p', cell: (r) => r.p, show: (r) => pValue(r.p), number: true },
    numeric('r', (r) => r.r, 2),
  ];
}

export function Statistics(props: { state: OverviewState }) {
  const { page } = useReport();
  const choice = props.state.choice.value;
  const picked = props.state.picked.value;
  const [at, setAt] = useState<At>('strongest');
  const placed = chosenCurves(page, choice);
  const layers = [...new Set(placed.flatMap((p) => p.curve.layer))].sort((a, b) => a - b);
  const shown: At = picked !== null && at === 'strongest' ? 'layer' : at;
  const layer = picked ?? layers[0] ?? 0;
  const rows =
    shown === 'all'
      ? statisticRows(page, placed)
      : shown === 'layer'
        ? rowsAtLayer(page, placed, layer)
        : strongestRows(page, placed);
  const measure = measuresOf(page, choice.studies).find((m) => m.name === choice.measure);
  const choose = (value: string): void => {
    setAt(value === 'all' || value === 'layer' ? value : 'strongest');
    props.state.picked.value = value === 'layer' ? layer : null;
  };
  return (
    <section aria-labelledby="statistics-title">
      <h2 id="statistics-title">Statistics</h2>
      <div class="row options">
        <Choose
          label="Each curve"
          value={shown}
          options={[
            { value: 'strongest', label: 'where it is strongest' },
            { value: 'layer', label: 'at one layer' },
            { value: 'all', label: 'at every layer' },
          ]}
          onChange={choose}
        />
        {shown === 'layer' && (
          <Menu
            label="Layer"
            value={String(layer)}
            options={layers.map((l) => ({ value: String(l), label: String(l) }))}
            onChange={(value) => (props.state.picked.value = Number(value))}
          />
        )}
      </div>
      <Table
        name={`statistics ${choice.measure}`}
        columns={columnsOf(rows, digitsOf(measure, false))}
        rows={rows}
        caption={
          <>
            Of the {measure?.label}. n: samples in the mean; empty: of them with an empty group, whose value is the
            baseline’s; without: kept samples that have no number here. Interval of the mean by 2,000 bootstrap
            resamples; <i>p</i>: two-sided Wilcoxon signed-rank test; <i>r</i>: matched-pairs rank-biserial. <i>p</i> is
            of one layer: it is not corrected for the others you look at.
          </>
        }
      />
    </section>
  );
}
