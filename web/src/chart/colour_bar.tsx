/* colour_bar.tsx - what the colours of a causal map mean. */
import { scaleLinear } from 'd3-scale';
import { FALL_HEX, RISE_HEX } from './heat_colour';
import { MUTED, pair, RULE } from '../palette';

/** From the largest fall, or 0 where nothing falls, to the largest rise. low and high: the changes there are. */
export function ColourBar(props: { most: number; low: number; high: number; width: number }) {
  // A side on which nothing can be seen is left out; without any change the bar is that of falls.
  const seen = props.most / 200;
  const to = props.high > seen ? props.most : 0;
  const from = props.low < -seen || to === 0 ? -props.most : 0;
  const x = scaleLinear([from, to], [0, props.width]);
  const zero = x(0);
  const part = (id: string, at: number, width: number, colour: string, falls: boolean) =>
    width > 0 && (
      <g>
        <linearGradient id={id}>
          <stop offset="0" stop-color={pair(colour)} stop-opacity={falls ? 1 : 0} />
          <stop offset="1" stop-color={pair(colour)} stop-opacity={falls ? 0 : 1} />
        </linearGradient>
        <rect x={at} width={width} height={9} fill={`url(#${id})`} />
      </g>
    );
  return (
    <g>
      {part('colour-bar-fall', 0, zero, FALL_HEX, true)}
      {part('colour-bar-rise', zero, props.width - zero, RISE_HEX, false)}
      <rect width={props.width} height={9} fill="none" stroke={RULE} />
      {x.ticks(4).map((t) => (
        <text x={x(t)} y={22} text-anchor="middle" font-size={11} fill={MUTED}>
          {x.tickFormat(4)(t)}
        </text>
      ))}
    </g>
  );
}
