/* map_tokens.tsx - the tokens of a causal map that has them: in a row to choose from, and as rows of a grid over all patches. */
import { useState } from 'preact/hooks';
import { Grid, type GridCell, type GridProps } from '../chart/grid';
import { paint } from '../chart/heat_colour';
import { number } from '../format';
import { frameName, frameOf, frameRow, type Heat } from '../study/heat';
import { promptOf } from '../study/patches';
import { useWidth } from './hooks';
import { FigureFrame } from './parts';
import { TokenText } from './sample_tokens';
import type { Sample } from '../data';

/** As it is stored. */
export const tokenAt = (sample: Sample, position: number): string =>
  promptOf(sample).find((p) => p.position === position)?.token ?? `position ${position}`;

/** Without the mark of a word's beginning. */
export const tokenLabel = (sample: Sample, position: number): string => tokenAt(sample, position).replace(/^[▁Ġ]/, '');

/** Each token in the colour of its strongest patch. */
export function TokenRow(props: {
  heat: Heat;
  sample: Sample;
  frame: number;
  row: number;
  setRow: (row: number) => void;
}) {
  const { heat, sample } = props;
  return (
    <div class="map-tokens" role="group" aria-label="Tokens of the question: cut from one of them">
      {heat.map.rows.map((position, r) => {
        const changes = frameRow(heat, props.frame, r);
        const strongest = changes.reduce((most, c) => (Math.abs(c) > Math.abs(most) ? c : most), 0);
        const { fill, opacity } = paint(strongest, heat.most);
        return (
          <button
            key={position}
            type="button"
            class="map-token"
            aria-pressed={r === props.row}
            style={{ background: `color-mix(in srgb, ${fill} ${(opacity * 70).toFixed(1)}%, transparent)` }}
            title={`Position ${position}`}
            onClick={() => props.setRow(r)}
          >
            <TokenText stored={tokenAt(sample, position)} />
          </button>
        );
      })}
    </div>
  );
}

/** Tokens x patches of one layer. */
export function TokenGrid(props: {
  heat: Heat;
  sample: Sample;
  frame: number;
  row: number;
  setRow: (row: number) => void;
  setColumn: (column: number) => void;
  valueLabel: string;
  digits: number;
}) {
  const { heat, sample, frame } = props;
  const { map } = heat;
  const [ref, width] = useWidth<HTMLDivElement>(1000);
  const [cell, setCell] = useState<GridCell | null>(null);
  const tokens = map.rows.map((p) => tokenLabel(sample, p));
  const changes = frameOf(heat, frame);
  const chart: GridProps = {
    title: `${frameName(map, frame)}tokens × patches`,
    rows: tokens,
    columns: map.columns.map((positions) => String(positions[0] ?? '')),
    changes,
    most: heat.most,
    digits: props.digits,
    rowLabel: 'token',
    columnLabel: 'patch (first position)',
    valueLabel: props.valueLabel,
    width,
    cell,
    pickedRow: props.row,
    onCell: setCell,
    onPick: ({ row, column }) => {
      props.setRow(row);
      props.setColumn(column);
    },
  };
  return (
    <FigureFrame
      name="tokens and patches"
      chart={() => <Grid {...chart} cell={null} width={1100} saved />}
      caption={
        <span aria-live="polite">
          {cell
            ? `${tokens[cell.row] ?? ''}, position ${map.columns[cell.column]?.join(', ') ?? ''}: ${number(changes[cell.row * heat.nColumns + cell.column], props.digits)}`
            : 'A row is a token of the question, a column a patch in reading order. Click a cell to see its token over the picture.'}
        </span>
      }
    >
      <div class="chart" ref={ref}>
        <Grid {...chart} />
      </div>
    </FigureFrame>
  );
}
