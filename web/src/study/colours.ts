/* colours.ts - the group that colours a position: the first of the palette's list that has it. */
import { GROUP_COLOURS } from '../palette';
import { inSpans } from './patches';
import type { Sample } from '../data';

const NEUTRAL = '#888888';

export const colourOfGroup = (group: string): string => GROUP_COLOURS.find(([name]) => name === group)?.[1] ?? NEUTRAL;

/** null: no coloured group has it. With a chosen group: that one or none. */
export function groupOf(sample: Sample, position: number, chosen: string | null): string | null {
  if (chosen !== null) return inSpans(sample.groups[chosen], position) ? chosen : null;
  return GROUP_COLOURS.find(([name]) => inSpans(sample.groups[name], position))?.[0] ?? null;
}

export interface GroupSize {
  name: string;
  n: number;
  colour: string;
}

/** The groups of a sample that have positions. */
export const groupsOf = (sample: Sample): GroupSize[] =>
  Object.entries(sample.groups)
    .map(([name, spans]) => ({ name, n: spans.reduce((n, [a, b]) => n + b - a, 0), colour: colourOfGroup(name) }))
    .filter((g) => g.n > 0);
