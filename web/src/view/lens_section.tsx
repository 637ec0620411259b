/* lens_section.tsx - the answer's probability, read from the last position's hidden state after each layer. */
import { useState } from 'preact/hooks';
import { useReport } from '../report';
import { Curves, type Cursor, type CurvesProps } from '../chart/curves';
import { Readout, spoken, Swatch } from '../chart/readout';
import { saveCsv, type Cell } from '../save';
import { ALL_TASKS, studyLabel, taskKey, tasksOf } from '../study/figure';
import { lensCut, lensCuts, lensPanels } from '../study/lens_figure';
import { still } from './curves_section';
import { useWidth } from './hooks';
import { Check, FigureFrame, Menu, Row, Switch, toggled } from './parts';
import type { Study } from '../data';

const HEAD = ['study', 'task', 'cut', 'line', 'entry', 'n', 'mean', 'low', 'high'];

function csvRows(study: Study): Cell[][] {
  return study.lens.flatMap((c) =>
    c.layer.map((entry, i) => [
      study.name,
      taskKey(c.task),
      lensCut(study, c),
      c.line,
      entry,
      c.n[i]!,
      c.mean[i]!,
      c.low[i]!,
      c.high[i]!,
    ]),
  );
}

export function LensSection(props: { study: number }) {
  const { page } = useReport();
  const study = page.studies[props.study]!;
  const tasks = tasksOf(page, [props.study]);
  const colours = new Map(study.lens.map((c) => [c.line, c.colour]));
  const cuts = lensCuts(study);
  const [shown, setShown] = useState<ReadonlySet<string>>(new Set(tasks.filter((t) => t !== ALL_TASKS)));
  const [lines, setLines] = useState<ReadonlySet<string>>(new Set(colours.keys()));
  const [cut, setCut] = useState(cuts[0] ?? '');
  const [bands, setBands] = useState(true);
  const [cursor, setCursor] = useState<Cursor | null>(null);
  const [ref, width] = useWidth<HTMLDivElement>(1000);
  const chart: CurvesProps = {
    panels: lensPanels(study, shown, cut).map((p) => ({ ...p, lines: p.lines.filter((l) => lines.has(l.label)) })),
    width,
    xLabel: 'entry (0: embeddings, e: after layer e − 1)',
    yLabel: 'probability (%)',
    bands,
    least: 0,
    cursor,
    onCursor: setCursor,
  };
  const id = `lens-title-${props.study}`;
  const order = [...colours.keys()];
  return (
    <section aria-labelledby={id}>
      <h2 id={id}>When the answer appears</h2>
      <div class="switches">
        <Row label="Words">
          {order.map((line, i) => (
            <Switch
              key={line}
              on={lines.has(line)}
              onChange={(on) => setLines(toggled(lines, line, on))}
              onOnly={() => setLines(new Set([line]))}
            >
              <Swatch colour={colours.get(line)!} mark={i} />
              {line}
            </Switch>
          ))}
        </Row>
        {tasks.length > 1 && (
          <Row label="Tasks">
            {tasks.map((task) => (
              <Switch
                key={task}
                on={shown.has(task)}
                onChange={(on) => setShown(toggled(shown, task, on))}
                onOnly={() => setShown(new Set([task]))}
              >
                {task}
              </Switch>
            ))}
          </Row>
        )}
      </div>
      <div class="row options">
        {cuts.length > 1 && (
          <Menu
            label="Cut"
            value={cut}
            options={cuts.map((c) => ({ value: c, label: c === '' ? 'nothing' : c }))}
            onChange={setCut}
          />
        )}
        <Check on={bands} onChange={setBands}>
          95 % bands
        </Check>
      </div>
      <FigureFrame
        name="lens"
        chart={() => <Curves {...still(chart)} width={1000} saved />}
        csv={() => saveCsv('lens', HEAD, csvRows(study))}
        caption={`The hidden state of the last position, read with the output embedding after each layer (${studyLabel(page, props.study)}). Probability of the first token of each word, mean over the kept samples. False options exist in tasks that offer two answers.`}
      >
        <div class="chart" ref={ref}>
          <Curves {...chart} />
          <Readout chart={chart} digits={2} axis="entry" />
          <p class="spoken" aria-live="polite">
            {spoken(chart, 2, 'entry')}
          </p>
        </div>
      </FigureFrame>
    </section>
  );
}
