/* spots.tsx - one number a flow, with its 95 % interval: runs without a centre, or with one layer only. */
import { scaleLinear } from 'd3-scale';
import { FONT } from './curves';
import { number } from '../format';
import { BACKGROUND, INK, MUTED, pair, RULE, ZERO } from '../palette';
import type { Spot } from '../study/figure';

const ROW = 22;
const HEAD = 26;

export function Spots(props: {
  spots: readonly Spot[];
  width: number;
  valueLabel: string;
  digits: number;
  saved?: boolean;
}) {
  const groups = [...new Set(props.spots.map((s) => s.group))];
  const left = Math.min(props.width * 0.42, 24 + Math.max(...props.spots.map((s) => s.label.length)) * 6.4);
  const right = 150;
  const w = Math.max(80, props.width - left - right);
  const numbers = props.spots.flatMap((s) => [s.y, s.low, s.high]).filter((v) => v !== null);
  const x = scaleLinear([Math.min(0, ...numbers), Math.max(0, ...numbers)], [0, w]).nice(5);
  let y = 0;
  const heads: { group: string; y: number }[] = [];
  const rows: { spot: Spot; y: number }[] = [];
  for (const group of groups) {
    heads.push({ group, y: y + 17 });
    y += HEAD;
    for (const spot of props.spots.filter((s) => s.group === group)) {
      rows.push({ spot, y: y + ROW / 2 });
      y += ROW;
    }
    y += 8;
  }
  const height = y + 46;
  return (
    <svg
      xmlns="http://www.w3.org/2000/svg"
      width={props.width}
      height={height}
      viewBox={`0 0 ${props.width} ${height}`}
      font-family={FONT}
      font-size={12}
    >
      {props.saved === true && <rect width={props.width} height={height} fill={BACKGROUND} />}
      <g transform={`translate(${left},0)`}>
        {x.ticks(5).map((t) => (
          <g transform={`translate(${x(t)},0)`}>
            <line y1={HEAD} y2={y} stroke={t === 0 ? ZERO : RULE} shape-rendering="crispEdges" />
            <text y={y + 16} text-anchor="middle" fill={MUTED}>
              {x.tickFormat(5)(t)}
            </text>
          </g>
        ))}
        {heads.map((h) => (
          <text x={-left + 4} y={h.y} font-size={13.5} font-weight={600} fill={INK}>
            {h.group}
          </text>
        ))}
        {rows.map(({ spot, y: at }) => (
          <g transform={`translate(0,${at})`}>
            <text x={-10} dy="0.34em" text-anchor="end" fill={INK}>
              {spot.label}
            </text>
            {spot.low !== null && spot.high !== null && (
              <line
                x1={x(spot.low)}
                x2={x(spot.high)}
                stroke={pair(spot.colour)}
                stroke-width={2.5}
                stroke-opacity={0.45}
              />
            )}
            {spot.y !== null && <circle cx={x(spot.y)} r={4} fill={pair(spot.colour)} />}
            <text x={w + 12} dy="0.34em" fill={MUTED}>
              {number(spot.y, props.digits)} [{number(spot.low, props.digits)}, {number(spot.high, props.digits)}]
            </text>
          </g>
        ))}
        <text x={w / 2} y={y + 36} text-anchor="middle" fill={INK}>
          {props.valueLabel}
        </text>
      </g>
    </svg>
  );
}
