/* curves_section.tsx - the main figure: change of the answer over layers, flow by flow, and the switches that choose what it
 * shows. The switches are its legend. */
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { useReport } from '../report';
import { Curves, type Cursor, type CurvesProps } from '../chart/curves';
import { Grid, type GridCell, type GridProps } from '../chart/grid';
import { Readout, spoken, Swatch } from '../chart/readout';
import { Spots } from '../chart/spots';
import { flowName, MEASURE_NAMES, number, plural } from '../format';
import { saveCsv } from '../save';
import {
  chosenCurves,
  figureOf,
  flowsOf,
  hasCurves,
  measuresOf,
  spotsOf,
  studyLabel,
  tasksOf,
  windowsOf,
  type Choice,
  type Figure,
  type Panel,
  type PanelsBy,
} from '../study/figure';
import { leastShown } from '../study/changes';
import { CURVE_COLUMNS, statisticRows } from '../study/statistic_rows';
import { useWidth } from './hooks';
import { Check, Choose, FigureFrame, Menu, Row, Switch, toggled } from './parts';
import type { OverviewState } from './overview';
import type { Measure } from '../data';

type Form = 'curves' | 'grid';

const PANELS: readonly { value: PanelsBy; label: string }[] = [
  { value: 'task', label: 'task' },
  { value: 'flow', label: 'flow' },
  { value: 'window', label: 'window' },
  { value: 'study', label: 'study' },
];

/** Digits behind the point that a measure is read with. */
export function digitsOf(measure: Measure | undefined, absolute: boolean): number {
  if (measure === undefined) return 2;
  if (!absolute) return measure.comparison === 'difference' ? 2 : 1;
  return measure.comparison === 'relative' ? 4 : 2;
}

export function CurvesSection(props: { state: OverviewState }) {
  const { page } = useReport();
  const choice = props.state.choice.value;
  const set = (change: Partial<Choice>): void => {
    props.state.choice.value = { ...props.state.choice.value, ...change };
  };
  const [form, setForm] = useState<Form>('curves');
  const [bands, setBands] = useState(true);
  const traces = page.studies.flatMap((s, i) => (hasCurves(s) ? [i] : []));
  const flows = flowsOf(page, choice.studies);
  const measures = measuresOf(page, choice.studies);
  const measure = measures.find((m) => m.name === choice.measure);
  const figure = figureOf(page, choice, [...flows.keys()]);
  const several: Record<PanelsBy, boolean> = {
    task: tasksOf(page, choice.studies).length > 1,
    flow: flows.size > 1,
    window: windowsOf(page, choice.studies).length > 1,
    study: traces.length > 1,
  };
  return (
    <section aria-labelledby="curves-title">
      <h2 id="curves-title">What a cut does, layer by layer</h2>
      <Switches choice={choice} set={set} traces={traces} flows={flows} variants={figure.variants} />
      <div class="row options">
        <Menu
          label="Measure"
          value={choice.measure}
          options={measures.map((m) => ({ value: m.name, label: MEASURE_NAMES[m.name] ?? m.name }))}
          onChange={(name) => set({ measure: measures.find((m) => m.name === name)?.name ?? choice.measure })}
        />
        <Choose
          label="Values"
          value={choice.absolute ? 'absolute' : 'change'}
          options={[
            { value: 'change', label: 'change' },
            { value: 'absolute', label: 'absolute' },
          ]}
          onChange={(v) => set({ absolute: v === 'absolute' })}
        />
        <Choose
          label="Panels"
          value={choice.panels}
          options={PANELS.filter((p) => p.value === choice.panels || several[p.value])}
          onChange={(v) => set({ panels: PANELS.find((p) => p.value === v)?.value ?? 'task' })}
        />
        <Choose
          label="As"
          value={form}
          options={[
            { value: 'curves', label: 'curves' },
            { value: 'grid', label: 'grid' },
          ]}
          onChange={(v) => setForm(v === 'grid' ? 'grid' : 'curves')}
        />
        {form === 'curves' && (
          <Check on={bands} onChange={setBands}>
            95 % bands
          </Check>
        )}
      </div>
      <Body {...{ state: props.state, choice, figure, measure, form, bands }} />
    </section>
  );
}

function Switches(props: {
  choice: Choice;
  set: (change: Partial<Choice>) => void;
  traces: readonly number[];
  flows: ReadonlyMap<string, string>;
  variants: readonly string[];
}) {
  const { page } = useReport();
  const { choice, set } = props;
  const windows = windowsOf(page, choice.studies);
  const tasks = tasksOf(page, choice.studies);
  const order = [...props.flows.keys()];
  const switches = <K,>(
    keys: readonly K[],
    on: ReadonlySet<K>,
    change: (set: Set<K>) => void,
    show: (key: K) => ComponentChildren,
  ) =>
    keys.map((key) => (
      <Switch
        key={String(key)}
        on={on.has(key)}
        onChange={(now) => change(toggled(on, key, now))}
        onOnly={() => change(new Set([key]))}
        title="Double click: this one only"
      >
        {show(key)}
      </Switch>
    ));
  return (
    <div class="switches">
      <Row label="Flows">
        {switches(
          order,
          choice.flows,
          (flows) => set({ flows }),
          (flow) => (
            <>
              <Swatch colour={props.flows.get(flow)!} mark={order.indexOf(flow)} />
              {flowName(flow)}
            </>
          ),
        )}
      </Row>
      {tasks.length > 1 && (
        <Row label="Tasks">
          {switches(
            tasks,
            choice.tasks,
            (t) => set({ tasks: t }),
            (task) => task,
          )}
        </Row>
      )}
      {windows.length > 1 && (
        <Row label="Windows">
          {switches(
            windows,
            choice.windows,
            (w) => set({ windows: w }),
            (window) => window,
          )}
        </Row>
      )}
      {props.traces.length > 1 && (
        <Row label="Studies">
          {switches(
            props.traces,
            choice.studies,
            (s) => set(widened(choice, s)),
            (s) => studyLabel(page, s),
          )}
        </Row>
      )}
      {props.variants.length > 1 && choice.panels !== 'flow' && (
        <Row label="Lines">
          {props.variants.map((variant, i) => (
            <span class="key">
              <Swatch colour="ink" dash={i} /> {variant}
            </span>
          ))}
        </Row>
      )}
    </div>
  );

  /** A study that comes in brings its flows, tasks and windows, if nothing of it would show otherwise. */
  function widened(from: Choice, studies: Set<number>): Partial<Choice> {
    const next = { ...from, studies };
    const shown = new Set(chosenCurves(page, next).map((p) => p.study));
    const added = [...studies].filter((s) => !shown.has(s));
    if (added.length === 0) return { studies };
    return {
      studies,
      flows: new Set([...from.flows, ...flowsOf(page, added).keys()]),
      tasks: new Set([...from.tasks, ...tasksOf(page, added)]),
      windows: new Set([...from.windows, ...windowsOf(page, added)]),
    };
  }
}

function Body(props: {
  state: OverviewState;
  choice: Choice;
  figure: Figure;
  measure: Measure | undefined;
  form: Form;
  bands: boolean;
}) {
  const { page } = useReport();
  const { choice, figure, measure } = props;
  const spots = spotsOf(page, choice);
  const digits = digitsOf(measure, choice.absolute);
  const yLabel = (choice.absolute ? measure?.absoluteLabel : measure?.label) ?? choice.measure;
  if (figure.panels.length === 0 && spots.length === 0)
    return <p class="nothing">Nothing is chosen: switch on a flow, a task and a window.</p>;
  const csv = (): void => {
    const rows = statisticRows(page, chosenCurves(page, choice));
    saveCsv(
      'curves',
      CURVE_COLUMNS.map((c) => c.head),
      rows.map((r) => CURVE_COLUMNS.map((c) => c.cell(r))),
    );
  };
  return (
    <>
      {figure.panels.length > 0 && props.form === 'curves' && <CurveFigure {...{ ...props, yLabel, digits, csv }} />}
      {figure.panels.length > 0 &&
        props.form === 'grid' &&
        figure.panels.map((panel) => (
          <GridFigure
            key={panel.title}
            panel={panel}
            valueLabel={yLabel}
            digits={digits}
            csv={csv}
            most={mostOf(figure)}
          />
        ))}
      {spots.length > 0 && <SpotFigure spots={spots} valueLabel={yLabel} digits={digits} csv={csv} />}
    </>
  );
}

function CurveFigure(props: {
  state: OverviewState;
  choice: Choice;
  figure: Figure;
  measure: Measure | undefined;
  bands: boolean;
  yLabel: string;
  digits: number;
  csv: () => void;
}) {
  const [ref, width] = useWidth<HTMLDivElement>(1000);
  const [cursor, setCursor] = useState<Cursor | null>(null);
  const { picked } = props.state;
  const { choice, figure } = props;
  const chart: CurvesProps = {
    panels: figure.panels,
    width,
    xLabel: 'layer l',
    yLabel: props.yLabel,
    bands: props.bands,
    least: choice.absolute ? null : leastShown(props.measure?.comparison ?? 'relative'),
    cursor,
    picked: picked.value,
    onCursor: setCursor,
    onPick: (layer) => (picked.value = picked.value === layer ? null : layer),
  };
  return (
    <FigureFrame
      name={`curves ${choice.measure}`}
      chart={() => <Curves {...still(chart)} width={1000} saved />}
      csv={props.csv}
      caption={
        <>
          {props.yLabel[0]?.toUpperCase()}
          {props.yLabel.slice(1)}, where the edges of a flow are cut in a window of layers at <i>l</i>: mean over the
          kept samples
          {props.bands && ', with 95 % bands of 1.96 standard errors'}. {windowsText(choice)} {sampleText(figure)} Click
          a layer to read the table below at it.
        </>
      }
    >
      <div class="chart" ref={ref}>
        <Curves {...chart} />
        <Readout chart={chart} digits={props.digits} axis="layer" />
        <p class="spoken" aria-live="polite">
          {spoken(chart, props.digits, 'layer')}
        </p>
      </div>
    </FigureFrame>
  );
}

/** The chart without what reacts. */
export function still(chart: CurvesProps): CurvesProps {
  const { panels, width, xLabel, yLabel, bands, least } = chart;
  return { panels, width, xLabel, yLabel, bands, least };
}

function windowsText(choice: Choice): string {
  const names = [...choice.windows].filter((w) => w !== 'fixed layers');
  return names.length === 0 ? '' : `Layers cut: ${names.join('; ')}.`;
}

/** How many samples the means are of. */
function sampleText(figure: Figure): string {
  const counts = figure.panels.flatMap((p) => p.lines.flatMap((l) => l.n));
  const [low, high] = [Math.min(...counts), Math.max(...counts)];
  return counts.length === 0
    ? ''
    : low === high
      ? `${plural(low, 'sample')} each.`
      : `${low} to ${plural(high, 'sample')} each.`;
}

const mostOf = (figure: Figure): number =>
  Math.max(0, ...figure.panels.flatMap((p) => p.lines.flatMap((l) => l.y.map((y) => Math.abs(y ?? 0)))));

function GridFigure(props: { panel: Panel; valueLabel: string; digits: number; most: number; csv: () => void }) {
  const { panel } = props;
  const [ref, width] = useWidth<HTMLDivElement>(1000);
  const [cell, setCell] = useState<GridCell | null>(null);
  const layers = [...new Set(panel.lines.flatMap((l) => l.x))].sort((a, b) => a - b);
  const changes = panel.lines.flatMap((l) => layers.map((layer) => l.y[l.x.indexOf(layer)] ?? NaN));
  const chart: GridProps = {
    title: panel.title,
    rows: panel.lines.map((l) => l.label),
    columns: layers.map(String),
    changes,
    most: props.most,
    digits: props.digits,
    rowLabel: 'flow',
    columnLabel: 'layer l',
    valueLabel: props.valueLabel,
    width,
    cell,
    onCell: setCell,
  };
  const text = cell
    ? `${panel.lines[cell.row]!.label}, layer ${layers[cell.column]!}: ${number(changes[cell.row * layers.length + cell.column], props.digits)}`
    : '';
  return (
    <FigureFrame
      name={`grid ${panel.title}`}
      chart={() => <Grid {...chart} cell={null} width={1000} saved />}
      csv={props.csv}
      caption={
        <span aria-live="polite">{text || 'Means over the kept samples; point at a cell, or use the arrow keys.'}</span>
      }
    >
      <div class="chart" ref={ref}>
        <Grid {...chart} />
      </div>
    </FigureFrame>
  );
}

function SpotFigure(props: { spots: ReturnType<typeof spotsOf>; valueLabel: string; digits: number; csv: () => void }) {
  const [ref, width] = useWidth<HTMLDivElement>(1000);
  return (
    <FigureFrame
      name="single runs"
      chart={() => <Spots {...props} width={1000} saved />}
      csv={props.csv}
      caption="Runs with one layer, or with layers of their own: mean over the kept samples and its 95 % interval."
    >
      <div class="chart" ref={ref}>
        <Spots {...props} width={width} />
      </div>
    </FigureFrame>
  );
}
