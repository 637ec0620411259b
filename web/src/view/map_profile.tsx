/* map_profile.tsx - a causal map over its layers: its strongest patch in each, and the patch that the reader points at. */
import { useState } from 'preact/hooks';
import { Curves, type Cursor, type CurvesProps } from '../chart/curves';
import { Readout, spoken } from '../chart/readout';
import { frameRow, overFrames, type Heat } from '../study/heat';
import { still } from './curves_section';
import { useWidth } from './hooks';
import { FigureFrame } from './parts';

export function Profile(props: {
  heat: Heat;
  row: number;
  column: number | null;
  layer: number;
  setLayer: (layer: number) => void;
  yLabel: string;
  digits: number;
}) {
  const { heat, row, column } = props;
  const [ref, width] = useWidth<HTMLDivElement>(480);
  const [cursor, setCursor] = useState<Cursor | null>(null);
  const frames = heat.map.frames;
  const series = (label: string, colour: string, mark: number, y: (number | null)[]) => ({
    label,
    colour,
    dash: mark,
    mark,
    x: [...frames],
    y,
    low: [],
    high: [],
    n: [],
  });
  const deepest = frames.map((_, f) => frameRow(heat, f, row).reduce((least, c) => Math.min(least, c), 0));
  const lines = [series('largest fall of any patch', '#d55e00', 0, deepest)];
  if (column !== null)
    lines.push(
      series(
        'this patch',
        'ink',
        1,
        overFrames(heat, row, column).map((c) => (Number.isNaN(c) ? null : c)),
      ),
    );
  const chart: CurvesProps = {
    panels: [
      {
        title:
          column === null ? 'Over the layers' : `Over the layers, position ${heat.map.columns[column]!.join(', ')}`,
        lines,
        reference: null,
      },
    ],
    width,
    xLabel: 'layer l',
    yLabel: props.yLabel,
    bands: false,
    least: heat.largest < heat.most ? heat.most : 0,
    cursor,
    picked: props.layer,
    onCursor: setCursor,
    onPick: props.setLayer,
  };
  return (
    <FigureFrame
      name="map over layers"
      chart={() => <Curves {...still(chart)} width={700} saved />}
      caption="Click a layer to see its map."
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
