/* grid.tsx - changes in rows and columns: flows x layers, layers x heads, question tokens x patches. One SVG. */
import { ColourBar } from './colour_bar';
import { FONT } from './curves';
import { heatImage, paint } from './heat_colour';
import { number } from '../format';
import { BACKGROUND, INK, MUTED, RULE } from '../palette';

export interface GridCell {
  row: number;
  column: number;
}

export interface GridProps {
  title: string;
  rows: readonly string[];
  columns: readonly string[];
  /** Rows x columns, row-major; NaN: no number. */
  changes: ArrayLike<number>;
  most: number;
  digits: number;
  rowLabel: string;
  columnLabel: string;
  valueLabel: string;
  width: number;
  saved?: boolean;
  cell?: GridCell | null;
  onCell?: (cell: GridCell | null) => void;
  onPick?: (cell: GridCell) => void;
  /** A row that is marked. */
  pickedRow?: number;
}

const MOST_SHAPES = 2500;
const TOP = 30;

interface Frame {
  left: number;
  w: number;
  h: number;
  cw: number;
  ch: number;
  height: number;
}

function frameOf(props: GridProps): Frame {
  const letters = Math.max(3, ...props.rows.map((r) => r.length));
  const left = Math.min(props.width * 0.4, 40 + letters * 6.4);
  const room = props.width - left - 14;
  const cw = Math.min(54, room / Math.max(1, props.columns.length));
  const ch = Math.min(22, Math.max(13, cw));
  const h = ch * props.rows.length;
  return { left, w: cw * props.columns.length, h, cw, ch, height: TOP + h + 82 };
}

function Cells(props: { all: GridProps; frame: Frame }) {
  const { all, frame } = props;
  const nColumns = all.columns.length;
  if (all.rows.length * nColumns > MOST_SHAPES)
    return (
      <image
        href={heatImage(all.changes, nColumns, all.rows.length, all.most)}
        width={frame.w}
        height={frame.h}
        preserveAspectRatio="none"
        style="image-rendering: pixelated"
      />
    );
  const texts = frame.cw >= 34;
  return (
    <g>
      {Array.from({ length: all.rows.length * nColumns }, (_, i) => {
        const change = all.changes[i]!;
        const { fill, opacity } = paint(change, all.most);
        const x = (i % nColumns) * frame.cw;
        const y = Math.floor(i / nColumns) * frame.ch;
        return (
          <g>
            <rect
              x={x + 0.5}
              y={y + 0.5}
              width={frame.cw - 1}
              height={frame.ch - 1}
              fill={fill}
              fill-opacity={opacity}
            />
            {texts && (
              <text
                x={x + frame.cw / 2}
                y={y + frame.ch / 2}
                dy="0.34em"
                text-anchor="middle"
                font-size={11}
                fill={opacity > 0.62 ? BACKGROUND : opacity < 0.005 ? MUTED : INK}
              >
                {number(change, all.digits)}
              </text>
            )}
          </g>
        );
      })}
    </g>
  );
}

function moved(cell: GridCell | null, key: string, nRows: number, nColumns: number): GridCell | null {
  const at = cell ?? { row: 0, column: 0 };
  const steps: Record<string, [number, number]> = {
    ArrowUp: [-1, 0],
    ArrowDown: [1, 0],
    ArrowLeft: [0, -1],
    ArrowRight: [0, 1],
  };
  const step = steps[key];
  if (step === undefined) return null;
  if (cell === null) return at;
  const clamp = (v: number, n: number): number => Math.max(0, Math.min(n - 1, v));
  return { row: clamp(at.row + step[0], nRows), column: clamp(at.column + step[1], nColumns) };
}

/** Labels of an axis, thinned until they fit. */
const thinned = (n: number, size: number, need: number): number =>
  Math.max(1, Math.ceil(need / Math.max(1, size)), Math.ceil(n / 60));

export function Grid(props: GridProps) {
  const f = frameOf(props);
  const [nRows, nColumns] = [props.rows.length, props.columns.length];
  const cellAt = (event: MouseEvent & { currentTarget: SVGElement }): GridCell => {
    const box = event.currentTarget.getBoundingClientRect();
    return {
      row: Math.min(nRows - 1, Math.max(0, Math.floor(((event.clientY - box.top) / box.height) * nRows))),
      column: Math.min(nColumns - 1, Math.max(0, Math.floor(((event.clientX - box.left) / box.width) * nColumns))),
    };
  };
  const key = (event: KeyboardEvent): void => {
    if (event.key === 'Escape') props.onCell?.(null);
    if (event.key === 'Enter' && props.cell) props.onPick?.(props.cell);
    const cell = moved(props.cell ?? null, event.key, nRows, nColumns);
    if (cell === null) return;
    event.preventDefault();
    props.onCell?.(cell);
  };
  const columnStep = thinned(nColumns, f.cw, Math.max(...props.columns.map((c) => c.length)) * 7 + 6);
  const changes = Array.from(props.changes).filter((c) => !Number.isNaN(c));
  return (
    <svg
      xmlns="http://www.w3.org/2000/svg"
      width={props.width}
      height={f.height}
      viewBox={`0 0 ${props.width} ${f.height}`}
      font-family={FONT}
      font-size={12}
    >
      {props.saved === true && <rect width={props.width} height={f.height} fill={BACKGROUND} />}
      <text x={f.left} y={16} font-size={13.5} font-weight={600} fill={INK}>
        {props.title}
      </text>
      <g transform={`translate(${f.left},${TOP})`}>
        {props.rows.map((label, r) => (
          <text
            x={-8}
            y={(r + 0.5) * f.ch}
            dy="0.34em"
            text-anchor="end"
            fill={r === props.pickedRow ? INK : MUTED}
            font-weight={r === props.pickedRow ? 600 : 400}
          >
            {label}
          </text>
        ))}
        {props.columns.map(
          (label, c) =>
            c % columnStep === 0 && (
              <text x={(c + 0.5) * f.cw} y={f.h + 15} text-anchor="middle" fill={MUTED}>
                {label}
              </text>
            ),
        )}
        <g
          class="panel"
          role="group"
          aria-roledescription="grid of numbers"
          aria-label={`${props.title}: ${props.valueLabel}, ${props.rowLabel} by ${props.columnLabel}. Arrow keys read the cells.`}
          tabIndex={props.onCell ? 0 : undefined}
          onKeyDown={key}
          onBlur={() => props.onCell?.(null)}
        >
          <rect width={f.w} height={f.h} fill="none" stroke={RULE} />
          <Cells all={props} frame={f} />
          {props.pickedRow !== undefined && (
            <rect y={props.pickedRow * f.ch} width={f.w} height={f.ch} fill="none" stroke={INK} />
          )}
          {props.cell && (
            <rect
              x={props.cell.column * f.cw}
              y={props.cell.row * f.ch}
              width={f.cw}
              height={f.ch}
              fill="none"
              stroke={INK}
              stroke-width={2}
            />
          )}
          {props.onCell && (
            <rect
              class="sensor"
              width={f.w}
              height={f.h}
              fill="transparent"
              onPointerMove={(event) => props.onCell?.(cellAt(event))}
              onPointerLeave={() => props.onCell?.(null)}
              onClick={(event) => props.onPick?.(cellAt(event))}
            />
          )}
        </g>
        <text transform={`translate(${14 - f.left},${f.h / 2}) rotate(-90)`} text-anchor="middle" fill={INK}>
          {props.rowLabel}
        </text>
        <text x={f.w / 2} y={f.h + 34} text-anchor="middle" fill={INK}>
          {props.columnLabel}
        </text>
        <g transform={`translate(0,${f.h + 46})`}>
          <ColourBar
            most={props.most}
            low={Math.min(0, ...changes)}
            high={Math.max(0, ...changes)}
            width={Math.min(190, f.w)}
          />
          <text x={Math.min(190, f.w) + 16} y={9} fill={MUTED}>
            {props.valueLabel}
          </text>
        </g>
      </g>
    </svg>
  );
}
