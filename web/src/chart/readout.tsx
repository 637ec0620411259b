/* readout.tsx - the numbers at the cursor of a figure: beside the pointer, and spoken by screen readers. */
import { layerPlace, panelBox, type CurvesProps } from './curves';
import { mark, dash } from './marks';
import { number, plural } from '../format';
import { pair } from '../palette';
import type { Line, Panel } from '../study/figure';

interface Row {
  line: Line;
  y: number | null;
  low: number | null;
  high: number | null;
  n: number;
}

function rowsAt(panel: Panel, layer: number): Row[] {
  return panel.lines.flatMap((line) => {
    const i = line.x.indexOf(layer);
    return i < 0
      ? []
      : [{ line, y: line.y[i]!, low: line.low[i] ?? null, high: line.high[i] ?? null, n: line.n[i] ?? 0 }];
  });
}

/** A line's look, small. */
export function Swatch(props: { colour: string; dash?: number; mark?: number | null }) {
  return (
    <svg class="swatch" width={24} height={10} aria-hidden="true">
      <line
        x1={1}
        x2={23}
        y1={5}
        y2={5}
        stroke={pair(props.colour)}
        stroke-width={2}
        stroke-dasharray={dash(props.dash ?? 0)}
      />
      {props.mark != null && <path d={mark(props.mark, 30)} transform="translate(12,5)" fill={pair(props.colour)} />}
    </svg>
  );
}

export function Readout(props: { chart: CurvesProps; digits: number; axis: string }) {
  const { cursor, panels } = props.chart;
  const panel = cursor && panels[cursor.panel];
  if (!cursor || !panel) return null;
  const box = panelBox(props.chart, cursor.panel);
  const place = layerPlace(props.chart, cursor.layer);
  const x = box.x + place * box.w;
  const rows = rowsAt(panel, cursor.layer);
  const n = new Set(rows.map((r) => r.n));
  const bands = props.chart.bands && rows.some((r) => r.low !== null);
  const side = x > props.chart.width / 2 ? { right: `${props.chart.width - x + 12}px` } : { left: `${x + 12}px` };
  return (
    <div class="readout" style={{ top: `${box.y - 6}px`, ...side }} aria-hidden="true">
      <p>
        {props.axis} {cursor.layer}
        {n.size === 1 && [...n][0]! > 0 && <span> · {plural([...n][0]!, 'sample')}</span>}
      </p>
      <table>
        <tbody>
          {rows.map((r) => (
            <tr>
              <td>
                <Swatch colour={r.line.colour} dash={r.line.dash} mark={r.line.mark} />
                {r.line.label}
              </td>
              <td class="number">{number(r.y, props.digits)}</td>
              {bands && (
                <td class="number interval">
                  {r.low === null ? '' : `[${number(r.low, props.digits)}, ${number(r.high, props.digits)}]`}
                </td>
              )}
              {n.size > 1 && <td class="number interval">n {r.n}</td>}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** The same as a sentence. */
export function spoken(chart: CurvesProps, digits: number, axis: string): string {
  const { cursor, panels } = chart;
  const panel = cursor && panels[cursor.panel];
  if (!cursor || !panel) return '';
  const parts = rowsAt(panel, cursor.layer).map((r) => `${r.line.label} ${number(r.y, digits)}`);
  return `${panel.title}, ${axis} ${cursor.layer}: ${parts.join('; ')}`;
}
