/* sample_curves.tsx - what each cut did to one sample. */
import { useState } from 'preact/hooks';
import { useReport, type Block } from '../report';
import { Curves, type Cursor, type CurvesProps } from '../chart/curves';
import { Readout, spoken, Swatch } from '../chart/readout';
import { flowName, MEASURE_NAMES } from '../format';
import { saveCsv } from '../save';
import { baselineOf, curvesOf, leastShown, type SampleCurve } from '../study/changes';
import { digitsOf, still } from './curves_section';
import { useLoaded, useWidth } from './hooks';
import { Choose, FigureFrame, Menu, Pending, Row, Switch, toggled } from './parts';
import type { SampleState } from './sample_state';
import type { Measure, MeasureName, Sample, Study } from '../data';

export function SampleCurves(props: { study: number; sample: Sample; state: SampleState }) {
  const report = useReport();
  const study = report.study(props.study);
  const name = props.state.measure.value;
  const loaded = useLoaded(`values ${props.study} ${name}`, () => report.values(props.study, name));
  const measure = study.measures.find((m) => m.name === name);
  if (study.values.length === 0 || measure === undefined || props.sample.status !== 'done') return null;
  if (loaded.state !== 'done') return <Pending loaded={loaded} />;
  const curves = loaded.value === null ? [] : ofSample(study, props.sample, loaded.value);
  return (
    <section class="sample-curves">
      <h2>What the cuts do to it</h2>
      {curves.length === 0 ? (
        <p class="nothing">
          The page does not hold the values of this sample: only chosen samples of a study this large have them.
        </p>
      ) : (
        <CurvesOfSample {...props} study={study} curves={curves} measure={measure} />
      )}
    </section>
  );
}

const ofSample = (study: Study, sample: Sample, { block, values, flags }: Block): SampleCurve[] =>
  curvesOf(study, sample, block, values, flags);

function CurvesOfSample(props: {
  study: Study;
  sample: Sample;
  state: SampleState;
  curves: readonly SampleCurve[];
  measure: Measure;
}) {
  const { study, sample, state, measure } = props;
  const [ref, width] = useWidth<HTMLDivElement>(800);
  const [cursor, setCursor] = useState<Cursor | null>(null);
  const windows = [...new Set(props.curves.map((c) => c.window))];
  const window = windows.includes(state.window.value) ? state.window.value : (windows[0] ?? '');
  const drawable = study.measures.filter(
    (m) => m.comparison !== 'none' && study.values.some((block) => block.measure === m.name),
  );
  const absolute = state.absolute.value;
  const shown = props.curves.filter((c) => c.window === window);
  const lines = shown
    .filter((c) => !state.hidden.value.has(study.flows[c.flow]!.text))
    .map((c) => ({
      label: flowName(study.flows[c.flow]!.text),
      colour: study.flows[c.flow]!.colour,
      dash: 0,
      mark: c.flow,
      x: c.layer,
      y: absolute ? c.value : c.change,
      low: [],
      high: [],
      n: [],
    }));
  const digits = digitsOf(measure, absolute);
  const chart: CurvesProps = {
    panels: [{ title: window, lines, reference: absolute ? (baselineOf(sample, measure.name) ?? null) : null }],
    width,
    xLabel: 'layer l',
    yLabel: absolute ? measure.absoluteLabel : measure.label,
    bands: false,
    least: absolute ? null : leastShown(measure.comparison),
    cursor,
    onCursor: setCursor,
  };
  const flags = new Set(shown.flatMap((c) => c.flag).filter((f) => f !== ''));
  const csv = (): void =>
    saveCsv(
      `sample ${sample.questionId} ${measure.name}`,
      ['task', 'row', 'flow', 'window', 'layer', 'value', 'change', 'flag'],
      props.curves.flatMap((c) =>
        c.layer.map((layer, i) => [
          sample.task,
          sample.row,
          study.flows[c.flow]!.text,
          c.window,
          layer,
          c.value[i]!,
          c.change[i]!,
          c.flag[i]!,
        ]),
      ),
    );
  return (
    <>
      <div class="row options">
        {drawable.length > 1 && (
          <Menu
            label="Measure"
            value={measure.name}
            options={drawable.map((m) => ({ value: m.name, label: MEASURE_NAMES[m.name] ?? m.name }))}
            onChange={(name) => (state.measure.value = name as MeasureName)}
          />
        )}
        {windows.length > 1 && (
          <Menu
            label="Window"
            value={window}
            options={windows.map((w) => ({ value: w, label: w }))}
            onChange={(w) => (state.window.value = w)}
          />
        )}
        <Choose
          label="Values"
          value={absolute ? 'absolute' : 'change'}
          options={[
            { value: 'change', label: 'change' },
            { value: 'absolute', label: 'absolute' },
          ]}
          onChange={(v) => (state.absolute.value = v === 'absolute')}
        />
      </div>
      <Row label="Flows">
        {shown.map((c) => {
          const { text, colour } = study.flows[c.flow]!;
          return (
            <Switch
              key={text}
              on={!state.hidden.value.has(text)}
              onChange={(on) => (state.hidden.value = toggled(state.hidden.value, text, !on))}
            >
              <Swatch colour={colour} mark={c.flow} />
              {flowName(text)}
            </Switch>
          );
        })}
      </Row>
      <FigureFrame
        name={`sample ${sample.questionId} ${measure.name}`}
        chart={() => <Curves {...still(chart)} width={900} saved />}
        csv={csv}
        caption={
          <>
            {(absolute ? measure.absoluteLabel : measure.label).replace(/^./, (c) => c.toUpperCase())}, this sample
            alone.
            {flags.size > 0 && ` Some values are flagged: ${[...flags].join(', ')}.`}
          </>
        }
      >
        <div class="chart" ref={ref}>
          <Curves {...chart} />
          <Readout chart={chart} digits={digits} axis="layer" />
          <p class="spoken" aria-live="polite">
            {spoken(chart, digits, 'layer')}
          </p>
        </div>
      </FigureFrame>
    </>
  );
}
