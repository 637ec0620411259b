/* format.ts - numbers and names as the page writes them. CSV files have every digit, the page a few. */
import type { CausalMap, WindowStyle } from './data';
import { format } from 'd3-format';

const fixed = [format('-.0f'), format('-.1f'), format('-.2f'), format('-.3f'), format('-.4f')];

/** A minus sign, `digits` digits behind the point, a dash for no number. */
export function number(value: number | null | undefined, digits = 2): string {
  if (value == null || Number.isNaN(value)) return '–';
  const text = fixed[digits]!(value);
  return /^−0(\.0+)?$/.test(text) ? text.slice(1) : text;
}

export const count: (n: number) => string = format(',');

/** "1 sample", "895 samples". */
export function plural(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`;
}

/** A probability: four digits, and a power of ten where they would all be 0. */
export function probability(p: number | null | undefined): string {
  if (p == null || Number.isNaN(p)) return '–';
  return p > 0 && p < 0.00005 ? power(p) : fixed[4]!(p);
}

/** A p value: three digits, or a power of ten. */
export function pValue(p: number | null): string {
  if (p === null) return '–';
  return p > 0 && p < 0.001 ? power(p) : fixed[3]!(p);
}

function power(value: number): string {
  const [mantissa = '', exponent = ''] = value.toExponential(1).split('e');
  const raised = Array.from(exponent, (c) => (c === '-' ? '⁻' : ('⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(c)] ?? '')));
  return `${mantissa}·10${raised.join('')}`;
}

/** "Image->Question" with an arrow. Files keep the canonical text. */
export function flowName(text: string): string {
  return text.replaceAll('->', ' → ');
}

export function windowName(style: WindowStyle, window: number): string {
  switch (style) {
    case 'centre':
      return `window ${window}`;
    case 'outside':
      return `all but window ${window}`;
    case 'below':
      return 'layers up to l';
    case 'above':
      return 'layers from l';
    case 'fixed':
      return 'fixed layers';
  }
}

/** Name of a measure in a menu. */
export const MEASURE_NAMES: Record<string, string> = {
  probability: 'probability of the answer',
  true: 'probability of the true answer',
  whole: 'probability of the whole answer',
  difference: 'logit difference of the options',
  rank: 'rank of the answer',
  flip: 'answers that flip',
  top: 'most probable token',
};

/** What a causal map is over. */
export const MAP_KINDS: Record<CausalMap['kind'], string> = {
  patches: 'patches × layers',
  'token-patches': 'question tokens × patches × layers',
  heads: 'heads × layers',
};

/** "▁the", "Ġthe", "<0x0A>" split into its word mark and what a reader sees. */
export function tokenText(stored: string): { mark: boolean; text: string } {
  const byte = /^<0x([0-9A-F]{2})>$/.exec(stored);
  if (byte) return { mark: false, text: byte[1] === '0A' ? '↵' : stored };
  const mark = /^[▁Ġ]/.test(stored);
  const text = (mark ? stored.slice(1) : stored).replaceAll('▁', ' ').replaceAll('Ġ', ' ').replaceAll('Ċ', '↵');
  return { mark, text };
}
