/* curves.tsx - curves over layers in panels that share their axes: one SVG, as it is shown and as it is saved.
 *
 * The panels react to pointer and keys (left and right, Home, End) by moving a cursor, which is the caller's: all panels of a
 * figure show the same layer. What stands at the cursor is written by readout.tsx. */
import { area, line } from 'd3-shape';
import { scaleLinear, type ScaleLinear } from 'd3-scale';
import { entriesOf, Legend, legendHeight } from './legend';
import { dash, mark } from './marks';
import { BACKGROUND, INK, MUTED, pair, RULE, ZERO } from '../palette';
import type { Line, Panel } from '../study/figure';

export interface Cursor {
  panel: number;
  layer: number;
}

export interface CurvesProps {
  panels: readonly Panel[];
  width: number;
  xLabel: string;
  yLabel: string;
  bands: boolean;
  /** The axis reaches from 0 down to -least, or as far as the lines do; null: only as far as the lines do. */
  least: number | null;
  /** With a legend: to be saved. */
  saved?: boolean;
  cursor?: Cursor | null;
  onCursor?: (cursor: Cursor | null) => void;
  /** A layer was chosen, with a click or the Enter key. */
  onPick?: (layer: number) => void;
  picked?: number | null;
}

export const FONT = "'Source Sans 3 Variable', 'Source Sans 3', 'Helvetica Neue', Arial, sans-serif";

const LEFT = 54;
const GAP = 26;
const TOP = 26;
const BOTTOM = 24;

interface Frame {
  columns: number;
  rows: number;
  w: number;
  h: number;
  legend: number;
  width: number;
  height: number;
}

function frameOf(props: CurvesProps): Frame {
  const n = Math.max(1, props.panels.length);
  const most = props.width < 560 ? 1 : props.width < 860 ? 2 : 3;
  const columns = n === 4 ? Math.min(2, most) : Math.min(n, most);
  const rows = Math.ceil(n / columns);
  const w = (props.width - LEFT - 12 - (columns - 1) * GAP) / columns;
  const h = columns === 1 ? Math.min(380, Math.max(220, w * 0.45)) : columns === 2 ? 250 : 178;
  const legend = props.saved === true ? legendHeight(entriesOf(props.panels.flatMap((p) => p.lines)), props.width) : 0;
  return { columns, rows, w, h, legend, width: props.width, height: legend + 8 + rows * (TOP + h + BOTTOM) + 20 };
}

/** Of all lines: numbers, and intervals where they are drawn. */
function yExtent(props: CurvesProps): [number, number] {
  let low = props.least === null ? Infinity : -props.least;
  let high = props.least === null ? -Infinity : 0;
  const take = (v: number | null | undefined): void => {
    if (v == null) return;
    low = Math.min(low, v);
    high = Math.max(high, v);
  };
  for (const panel of props.panels) {
    take(panel.reference);
    for (const l of panel.lines) {
      l.y.forEach(take);
      if (props.bands) {
        l.low.forEach(take);
        l.high.forEach(take);
      }
    }
  }
  if (low > high) return [0, 1];
  return low === high ? [low - 1, high + 1] : [low, high];
}

function xExtent(panels: readonly Panel[]): [number, number] {
  const layers = panels.flatMap((p) => p.lines.flatMap((l) => l.x));
  return layers.length === 0 ? [0, 1] : [Math.min(...layers), Math.max(...layers)];
}

/** Layers of a panel, rising. */
const layersOf = (panel: Panel): number[] => [...new Set(panel.lines.flatMap((l) => l.x))].sort((a, b) => a - b);

function nearest(layers: readonly number[], x: number): number {
  return layers.reduce((best, l) => (Math.abs(l - x) < Math.abs(best - x) ? l : best), layers[0] ?? 0);
}

type Scale = ScaleLinear<number, number>;

function Axes(props: { x: Scale; y: Scale; w: number; h: number; labels: boolean }) {
  const { x, y, w, h } = props;
  const xTicks = x.ticks(Math.max(3, Math.min(12, w / 42))).filter(Number.isInteger);
  const tickText = y.tickFormat(6);
  return (
    <g>
      {y.ticks(5).map((t) => (
        <g transform={`translate(0,${y(t)})`}>
          <line x2={w} stroke={t === 0 ? ZERO : RULE} stroke-width={1} shape-rendering="crispEdges" />
          {props.labels && (
            <text x={-8} dy="0.33em" text-anchor="end" fill={MUTED}>
              {tickText(t)}
            </text>
          )}
        </g>
      ))}
      {xTicks.map((t) => (
        <g transform={`translate(${x(t)},${h})`}>
          <line y2={4} stroke={ZERO} shape-rendering="crispEdges" />
          <text y={17} text-anchor="middle" fill={MUTED}>
            {t}
          </text>
        </g>
      ))}
    </g>
  );
}

/** Every mark where there is room for it; otherwise each line has its own few, so that they do not cover each other. */
function showsMark(l: Line, i: number, step: number): boolean {
  const every = Math.ceil(15 / step);
  return every <= 1 || (i + 2 * Math.max(0, l.mark)) % every === 0;
}

function Curve(props: { line: Line; x: Scale; y: Scale; at: number | null }) {
  const { line: l, x, y } = props;
  const colour = pair(l.colour);
  const path = line<number>()
    .defined((i) => l.y[i] != null)
    .x((i) => x(l.x[i]!))
    .y((i) => y(l.y[i]!));
  const order = [...l.x.keys()].sort((a, b) => l.x[a]! - l.x[b]!);
  const step = Math.abs(x(1) - x(0));
  return (
    <g>
      <path
        d={path(order) ?? ''}
        fill="none"
        stroke={colour}
        stroke-width={1.75}
        stroke-linejoin="round"
        stroke-dasharray={dash(l.dash)}
      />
      {order.map((i) => {
        const here = l.x[i] === props.at;
        if (l.y[i] == null || (!here && !showsMark(l, i, step))) return null;
        return (
          <path
            d={mark(l.mark, here ? 52 : step < 15 ? 17 : 24)}
            transform={`translate(${x(l.x[i]!)},${y(l.y[i])})`}
            fill={colour}
            stroke={BACKGROUND}
            stroke-width={here ? 1.25 : 0.5}
          />
        );
      })}
    </g>
  );
}

function Band(props: { line: Line; x: Scale; y: Scale }) {
  const { line: l, x, y } = props;
  const order = [...l.x.keys()].sort((a, b) => l.x[a]! - l.x[b]!);
  const path = area<number>()
    .defined((i) => l.low[i] != null && l.high[i] != null)
    .x((i) => x(l.x[i]!))
    .y0((i) => y(l.low[i]!))
    .y1((i) => y(l.high[i]!));
  return <path d={path(order) ?? ''} fill={pair(l.colour)} fill-opacity={0.14} />;
}

/** Where lines lie on each other, the one that changes most is on top. */
function flatFirst(lines: readonly Line[]): Line[] {
  const span = (l: Line): number =>
    l.y.reduce<number>((most, v) => Math.max(most, Math.abs((v ?? 0) - (l.y[0] ?? 0))), 0);
  return [...lines].sort((a, b) => span(a) - span(b));
}

/** The keys that move the cursor of a panel. */
function moved(layers: readonly number[], from: number | null, key: string): number | null {
  const at = from === null ? -1 : layers.indexOf(from);
  switch (key) {
    case 'ArrowRight':
      return layers[Math.min(layers.length - 1, at + 1)] ?? null;
    case 'ArrowLeft':
      return layers[Math.max(0, at - 1)] ?? null;
    case 'Home':
      return layers[0] ?? null;
    case 'End':
      return layers[layers.length - 1] ?? null;
    default:
      return null;
  }
}

function PanelView(props: {
  all: CurvesProps;
  index: number;
  x: Scale;
  y: Scale;
  w: number;
  h: number;
  first: boolean;
}) {
  const { all, index, x, y, w, h } = props;
  const panel = all.panels[index]!;
  const layers = layersOf(panel);
  const at = all.cursor?.layer ?? null;
  const active = all.cursor?.panel === index;
  const move = (event: PointerEvent & { currentTarget: SVGElement }): void => {
    const box = event.currentTarget.getBoundingClientRect();
    all.onCursor?.({ panel: index, layer: nearest(layers, x.invert(((event.clientX - box.left) / box.width) * w)) });
  };
  const key = (event: KeyboardEvent): void => {
    if (event.key === 'Escape') all.onCursor?.(null);
    if (event.key === 'Enter' && at !== null) all.onPick?.(at);
    const layer = moved(layers, active ? at : null, event.key);
    if (layer === null) return;
    event.preventDefault();
    all.onCursor?.({ panel: index, layer });
  };
  return (
    <g
      class="panel"
      tabIndex={all.onCursor ? 0 : undefined}
      role="group"
      aria-roledescription="chart"
      aria-label={`${panel.title}: ${all.yLabel} over ${all.xLabel}, ${panel.lines.map((l) => l.label).join(', ')}. Left and right arrow keys read the layers.`}
      onKeyDown={key}
      onBlur={() => all.onCursor?.(null)}
    >
      <text y={-10} font-size={13.5} font-weight={600} fill={INK}>
        {panel.title}
      </text>
      <Axes x={x} y={y} w={w} h={h} labels={props.first} />
      {panel.reference !== null && (
        <g transform={`translate(0,${y(panel.reference)})`}>
          <line x2={w} stroke={INK} stroke-dasharray="5 3" />
          <text x={w} y={-5} text-anchor="end" font-size={11} fill={MUTED}>
            nothing cut
          </text>
        </g>
      )}
      {all.picked != null && layers.includes(all.picked) && (
        <line class="picked" x1={x(all.picked)} x2={x(all.picked)} y2={h} stroke={MUTED} stroke-dasharray="2 3" />
      )}
      {at !== null && layers.includes(at) && (
        <line x1={x(at)} x2={x(at)} y2={h} stroke={MUTED} stroke-width={active ? 1 : 0.6} />
      )}
      {all.bands && panel.lines.map((l) => <Band line={l} x={x} y={y} />)}
      {flatFirst(panel.lines).map((l) => (
        <Curve line={l} x={x} y={y} at={at} />
      ))}
      {all.onCursor && (
        <rect
          class="sensor"
          y={-4}
          width={w}
          height={h + 8}
          fill="transparent"
          onPointerMove={move}
          onPointerLeave={() => all.onCursor?.(null)}
          onClick={() => at !== null && all.onPick?.(at)}
        />
      )}
    </g>
  );
}

/** Where a panel stands in the figure: for the readout. */
export function panelBox(props: CurvesProps, index: number): { x: number; y: number; w: number; h: number } {
  const f = frameOf(props);
  return {
    x: LEFT + (index % f.columns) * (f.w + GAP),
    y: f.legend + 8 + TOP + Math.floor(index / f.columns) * (TOP + f.h + BOTTOM),
    w: f.w,
    h: f.h,
  };
}

/** Share of a panel's width at which a layer lies. */
export function layerPlace(props: CurvesProps, layer: number): number {
  const [from, to] = xExtent(props.panels);
  return to === from ? 0 : (layer - from) / (to - from);
}

export function Curves(props: CurvesProps) {
  const f = frameOf(props);
  const x = scaleLinear(xExtent(props.panels), [0, f.w]);
  const [low, high] = yExtent(props);
  const room = 0.04 * (high - low);
  const y = scaleLinear([low - room, high + room], [f.h, 0]);
  return (
    <svg
      xmlns="http://www.w3.org/2000/svg"
      width={f.width}
      height={f.height}
      viewBox={`0 0 ${f.width} ${f.height}`}
      font-family={FONT}
      font-size={12}
    >
      {props.saved === true && <rect width={f.width} height={f.height} fill={BACKGROUND} />}
      {props.saved === true && (
        <g transform="translate(8,6)">
          <Legend entries={entriesOf(props.panels.flatMap((p) => p.lines))} width={f.width - 16} />
        </g>
      )}
      {props.panels.map((panel, i) => {
        const box = panelBox(props, i);
        return (
          <g key={panel.title} transform={`translate(${box.x},${box.y})`}>
            <PanelView all={props} index={i} x={x} y={y} w={f.w} h={f.h} first={i % f.columns === 0} />
          </g>
        );
      })}
      <text
        transform={`translate(11,${f.legend + (f.height - f.legend) / 2}) rotate(-90)`}
        text-anchor="middle"
        fill={INK}
      >
        {props.yLabel}
      </text>
      <text x={LEFT + (f.width - LEFT) / 2} y={f.height - 5} text-anchor="middle" fill={INK}>
        {props.xLabel}
      </text>
    </svg>
  );
}
