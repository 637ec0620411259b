/* strip.tsx - small maps side by side in one scale: every layer, or every token, at a glance. */
import { FONT } from './curves';
import { heatImage } from './heat_colour';
import { BACKGROUND, INK, MUTED, RULE } from '../palette';
import { frameRow, type Heat } from '../study/heat';
import { positionOf } from '../study/patches';
import type { PatchGrid } from '../data';

/** One small map: a frame and a row of the heat. */
export interface Small {
  label: string;
  frame: number;
  row: number;
}

export interface StripProps {
  heat: Heat;
  smalls: readonly Small[];
  grids: readonly PatchGrid[];
  /** Column of the map that stands for a position. */
  columnAt: ReadonlyMap<number, number>;
  width: number;
  chosen?: number;
  onChoose?: (at: number) => void;
  saved?: boolean;
}

const GAP = 8;
const LABEL = 15;

/** Changes over a grid's patches in reading order. */
function patchChanges(props: StripProps, grid: PatchGrid, small: Small): number[] {
  const changes = frameRow(props.heat, small.frame, small.row);
  return Array.from({ length: grid.rows * grid.columns }, (_, i) => {
    const column = props.columnAt.get(positionOf(grid, Math.floor(i / grid.columns), i % grid.columns));
    return column === undefined ? NaN : changes[column]!;
  });
}

/** As many in a row as stay readable. */
const across = (n: number, width: number): number => Math.min(n, Math.max(4, Math.min(8, Math.floor(width / 84))));

export function Strip(props: StripProps) {
  const { heat, grids, width, smalls } = props;
  const grid = grids[0];
  if (grid === undefined) return null;
  const columns = across(smalls.length, width);
  const w = (width - 4 - (columns - 1) * GAP) / columns;
  const h = w * ((grid.rows * grid.dy) / (grid.columns * grid.dx));
  const height = Math.ceil(smalls.length / columns) * (h + LABEL + GAP) + 4;
  return (
    <svg
      xmlns="http://www.w3.org/2000/svg"
      width={width}
      height={height}
      viewBox={`0 0 ${width} ${height}`}
      font-family={FONT}
      font-size={11.5}
    >
      {props.saved === true && <rect width={width} height={height} fill={BACKGROUND} />}
      {smalls.map((small, i) => {
        const chosen = i === props.chosen;
        return (
          <g
            key={i}
            class="strip-frame"
            transform={`translate(${2 + (i % columns) * (w + GAP)},${2 + Math.floor(i / columns) * (h + LABEL + GAP)})`}
            onClick={() => props.onChoose?.(i)}
          >
            <image
              href={heatImage(patchChanges(props, grid, small), grid.columns, grid.rows, heat.most)}
              width={w}
              height={h}
              preserveAspectRatio="none"
              style="image-rendering: pixelated"
            />
            <rect width={w} height={h} fill="transparent" stroke={chosen ? INK : RULE} stroke-width={chosen ? 2 : 1} />
            <text y={h + 12} fill={chosen ? INK : MUTED} font-weight={chosen ? 600 : 400}>
              {small.label}
            </text>
          </g>
        );
      })}
    </svg>
  );
}
