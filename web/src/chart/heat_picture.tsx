/* heat_picture.tsx - a causal map over its picture, with the bar that explains the colours: one SVG. */
import { ColourBar } from './colour_bar';
import { FONT } from './curves';
import { pictureSize, PictureView, type PictureProps } from './picture';
import { BACKGROUND, MUTED } from '../palette';

export interface HeatLegendProps {
  most: number;
  changes: Float64Array;
  label: string;
}

const BAR = 180;
const ROOM = 44;

export function HeatLegend(props: HeatLegendProps) {
  let [low, high] = [0, 0];
  for (const c of props.changes) {
    if (c < low) low = c;
    if (c > high) high = c;
  }
  return (
    <g>
      <ColourBar most={props.most} low={low} high={high} width={BAR} />
      <text x={BAR + 14} y={9} font-size={12} fill={MUTED}>
        {props.label}
      </text>
    </g>
  );
}

export function HeatPicture(props: { view: PictureProps; legend: HeatLegendProps }) {
  const { w, h } = pictureSize(props.view);
  const width = Math.max(w, BAR + 230);
  return (
    <svg
      xmlns="http://www.w3.org/2000/svg"
      width={width}
      height={h + ROOM}
      viewBox={`0 0 ${width} ${h + ROOM}`}
      font-family={FONT}
      class="heat-picture"
    >
      <rect width={width} height={h + ROOM} fill={BACKGROUND} />
      <PictureView {...props.view} />
      <g transform={`translate(12,${h + 14})`}>
        <HeatLegend {...props.legend} />
      </g>
    </svg>
  );
}
