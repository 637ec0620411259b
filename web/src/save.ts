/* save.ts - charts and tables as files: SVG and PNG of what is shown, in the colours that are shown, and CSV. */
import { render, type VNode } from 'preact';

export type Cell = string | number | null;

/** RFC 4180. Numbers have every digit; no number is an empty cell. */
export function csv(header: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const cell = (c: Cell): string => {
    if (c === null || (typeof c === 'number' && Number.isNaN(c))) return '';
    const text = String(c);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return [header, ...rows].map((row) => row.map(cell).join(',') + '\r\n').join('');
}

export function saveBlob(blob: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

export function saveCsv(name: string, header: readonly string[], rows: readonly (readonly Cell[])[]): void {
  saveBlob(new Blob(['\ufeff', csv(header, rows)], { type: 'text/csv;charset=utf-8' }), `${name}.csv`);
}

/** Whether the page is dark at the moment. */
export function isDark(): boolean {
  const scheme = getComputedStyle(document.documentElement).colorScheme;
  return scheme === 'dark' || (scheme !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches);
}

/** light-dark(a, b) is a or b: other programs do not know it. */
export function resolveColours(svg: string, dark: boolean): string {
  return svg.replace(/light-dark\(([^,()]+), ?([^,()]+)\)/g, (_, light: string, night: string) =>
    dark ? night : light,
  );
}

/** The chart drawn once more, by itself. */
export function svgText(chart: VNode): string {
  const host = document.createElement('div');
  render(chart, host);
  const svg = host.querySelector('svg');
  if (svg === null) throw new Error('a chart without an svg element');
  // A control character, which a question may hold, has no place in XML.
  const text = new XMLSerializer().serializeToString(svg).replace(/[\0-\x08\v\f\x0e-\x1f]/g, '\ufffd');
  render(null, host);
  return `<?xml version="1.0" encoding="UTF-8"?>\n${resolveColours(text, isDark())}\n`;
}

export function saveSvg(name: string, chart: VNode): void {
  saveBlob(new Blob([svgText(chart)], { type: 'image/svg+xml' }), `${name}.svg`);
}

/** The page's own font faces: a picture of an SVG sees no font of the page. */
function fontRules(): string {
  const rules: string[] = [];
  for (const sheet of document.styleSheets)
    for (const rule of sheet.cssRules) if (rule instanceof CSSFontFaceRule) rules.push(rule.cssText);
  return rules.join('\n');
}

export async function savePng(name: string, chart: VNode, scale = 2): Promise<void> {
  const svg = svgText(chart).replace(/(<svg[^>]*>)/, (tag) => `${tag}<style>${fontRules()}</style>`);
  const url = URL.createObjectURL(new Blob([svg], { type: 'image/svg+xml' }));
  try {
    const image = new Image();
    image.src = url;
    await image.decode();
    const canvas = document.createElement('canvas');
    canvas.width = image.width * scale;
    canvas.height = image.height * scale;
    canvas.getContext('2d')!.drawImage(image, 0, 0, canvas.width, canvas.height);
    const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, 'image/png'));
    if (blob === null) throw new Error('the browser could not write a PNG');
    saveBlob(blob, `${name}.png`);
  } finally {
    URL.revokeObjectURL(url);
  }
}
