/* page_file.ts - writes a page as the program does: the template of dist/ with the styles, the data and the code in the places of
 * its three @lines@. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Page } from '../src/data.ts';

export interface PageData {
  page: Page;
  blobs: Record<string, string>;
}

const dist = (name: string): string => readFileSync(fileURLToPath(new URL(`../dist/${name}`, import.meta.url)), 'utf8');

export const sampleData = (): PageData =>
  JSON.parse(readFileSync(fileURLToPath(new URL('sample-data.json', import.meta.url)), 'utf8')) as PageData;

/** JSON in which nothing can end a script element. */
const scriptJson = (page: Page): string => JSON.stringify(page).replaceAll('<', '\\u003c');

export function pageText({ page, blobs }: PageData): string {
  const data = [
    `<script type="application/json" id="page-data">${scriptJson(page)}</script>`,
    ...Object.entries(blobs).map(
      ([id, text]) => `<script type="application/octet-stream;base64" id="${id}">${text}</script>`,
    ),
  ].join('\n');
  const parts: Record<string, string> = { '@css@': dist('page.css'), '@data@': data, '@js@': dist('page.js') };
  return dist('page.html')
    .split('\n')
    .map((line) => parts[line] ?? line)
    .join('\n');
}

export function writePage(path: string, data: PageData): string {
  writeFileSync(path, pageText(data));
  return `file://${path}`;
}
