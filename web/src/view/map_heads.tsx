/* map_heads.tsx - heads x layers: which head, where. */
import { useState } from 'preact/hooks';
import { useReport } from '../report';
import { Grid, type GridCell, type GridProps } from '../chart/grid';
import { number } from '../format';
import { saveCsv } from '../save';
import type { Heat } from '../study/heat';
import { digitsOf } from './curves_section';
import { useWidth } from './hooks';
import { FigureFrame } from './parts';

export function HeadMap(props: { study: number; heat: Heat }) {
  const report = useReport();
  const { heat } = props;
  const { map } = heat;
  const measure = report.study(props.study).measures.find((m) => m.name === map.measure);
  const digits = digitsOf(measure, false);
  const [ref, width] = useWidth<HTMLDivElement>(1000);
  const [cell, setCell] = useState<GridCell | null>(null);
  const heads = map.columns.map((c) => c.join('+'));
  const chart: GridProps = {
    title: 'One head cut at a time',
    rows: map.rows.map(String),
    columns: heads,
    changes: heat.changes,
    most: heat.most,
    digits,
    rowLabel: 'layer',
    columnLabel: 'head',
    valueLabel: measure?.label ?? map.measure,
    width,
    cell,
    onCell: setCell,
  };
  const i = cell ? cell.row * heat.nColumns + cell.column : -1;
  const csv = (): void =>
    saveCsv(
      'heads',
      ['layer', 'head', 'value', 'change'],
      Array.from(heat.changes, (change, j) => [
        map.rows[Math.floor(j / heat.nColumns)]!,
        heads[j % heat.nColumns]!,
        heat.values[j]!,
        change,
      ]),
    );
  return (
    <FigureFrame
      name="heads"
      chart={() => <Grid {...chart} cell={null} width={900} saved />}
      csv={csv}
      caption={
        <span aria-live="polite">
          {cell
            ? `Layer ${map.rows[cell.row] ?? ''}, head ${heads[cell.column] ?? ''}: ${number(heat.changes[i], digits)} (value ${number(heat.values[i], 4)})`
            : 'Each cell: one head cut by itself. A head that others stand in for shows nothing here. Point at a cell, or use the arrow keys.'}
        </span>
      }
    >
      <div class="chart" ref={ref}>
        <Grid {...chart} />
      </div>
    </FigureFrame>
  );
}
