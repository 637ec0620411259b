/* palette.ts - every colour that a chart uses, each for a light and a dark page.
 *
 * A colour is a CSS light-dark() pair, so that the page, its print and its dark mode need no second drawing; saving a chart
 * resolves the pairs (save.ts). Flow colours come with the study: Okabe and Ito's and Paul Tol's, told apart with every
 * common colour vision. On the dark page they are lightened until they stand out from it. */

export const PAPER = { light: '#fdfcfa', dark: '#15171a' } as const;

export const INK = 'light-dark(#1d1b18, #ebe7e0)';
export const MUTED = 'light-dark(#67625a, #a8a299)';
export const RULE = 'light-dark(#e3dfd6, #2f3338)';
export const ZERO = 'light-dark(#a39d92, #66686b)';
export const BACKGROUND = `light-dark(${PAPER.light}, ${PAPER.dark})`;

type Rgb = [number, number, number];

function parse(hex: string): Rgb {
  const n = Number.parseInt(hex.slice(1), 16);
  return [(n >> 16) & 255, (n >> 8) & 255, n & 255];
}

/** WCAG 2 relative luminance. */
function luminance(rgb: Rgb): number {
  const [r, g, b] = rgb.map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4)) as Rgb;
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

export function contrast(a: string, b: string): number {
  const [x, y] = [luminance(parse(a)), luminance(parse(b))];
  return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
}

function hex(rgb: Rgb): string {
  return `#${rgb.map((v) => Math.round(v).toString(16).padStart(2, '0')).join('')}`;
}

/** The colour, mixed with white until its contrast with the dark page is 4.5. */
export function onDark(colour: string): string {
  const from = parse(colour);
  for (let share = 0; share < 1; share += 0.05) {
    const mixed = hex(from.map((v) => v + (255 - v) * share) as Rgb);
    if (contrast(mixed, PAPER.dark) >= 4.5) return mixed;
  }
  return '#ffffff';
}

/** A colour of the study for both pages; what is no "#rrggbb" is drawn in ink. */
export function pair(colour: string): string {
  return /^#[0-9a-f]{6}$/i.test(colour) ? `light-dark(${colour}, ${onDark(colour)})` : INK;
}

/** Lines of one flow that differ in something else: Tol's "muted" scheme. */
export const VARIANTS = ['#0072b2', '#d55e00', '#009e73', '#882255', '#e69f00', '#332288', '#44aa99', '#999933'];

/** What a position belongs to. The first group of this list that has it colours a token. */
export const GROUP_COLOURS: readonly [group: string, colour: string][] = [
  ['Last', '#d55e00'],
  ['True Option', '#009e73'],
  ['False Option', '#e69f00'],
  ['Central Object', '#cc79a7'],
  ['Question', '#0072b2'],
  ['Instruction', '#999933'],
  ['Role Words', '#888888'],
  ['Image Central Object', '#cc79a7'],
  ['Image Pad', '#888888'],
  ['Image', '#56b4e9'],
];
