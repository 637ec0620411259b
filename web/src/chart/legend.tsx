/* legend.tsx - the legend that a saved figure carries. On the page the switches above a figure are its legend. */
import { mark, dash } from './marks';
import { INK, pair } from '../palette';
import type { Line } from '../study/figure';

export interface Entry {
  label: string;
  colour: string;
  dash: number;
  /** null: a dash alone. */
  mark: number | null;
}

/** Lines by label, each once. */
export function entriesOf(lines: Iterable<Line>): Entry[] {
  const entries = new Map<string, Entry>();
  for (const l of lines) if (!entries.has(l.label)) entries.set(l.label, l);
  return [...entries.values()];
}

export const LEGEND_ROW = 18;
const SAMPLE = 30;

/** Widths are reckoned from the number of letters: generous, as the reader's font may be another. */
const widthOf = (label: string): number => SAMPLE + 6.6 * label.length + 22;

interface Item {
  entry: Entry;
  x: number;
  y: number;
}

function layout(entries: readonly Entry[], width: number): Item[] {
  let [x, y] = [0, 0];
  return entries.map((entry) => {
    const w = widthOf(entry.label);
    if (x > 0 && x + w > width) [x, y] = [0, y + LEGEND_ROW];
    const item = { entry, x, y };
    x += w;
    return item;
  });
}

export const legendHeight = (entries: readonly Entry[], width: number): number =>
  Math.max(0, ...layout(entries, width).map((item) => item.y + LEGEND_ROW)) + 6;

export function Legend(props: { entries: readonly Entry[]; width: number }) {
  return (
    <g>
      {layout(props.entries, props.width).map(({ entry, x, y }) => (
        <g transform={`translate(${x},${y + LEGEND_ROW / 2})`}>
          <line x2={22} stroke={pair(entry.colour)} stroke-width={2} stroke-dasharray={dash(entry.dash)} />
          {entry.mark !== null && (
            <path d={mark(entry.mark, 34)} transform="translate(11,0)" fill={pair(entry.colour)} />
          )}
          <text x={SAMPLE} dy="0.33em" font-size={12.5} fill={INK}>
            {entry.label}
          </text>
        </g>
      ))}
    </g>
  );
}
