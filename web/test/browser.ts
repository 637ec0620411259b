/* browser.ts - a real browser on a page from disk. What the page asks of the network, and what it complains about, is kept:
 * a test ends by asserting that it is nothing. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Browser, type Page as Tab } from 'playwright-core';
import { sampleData, writePage, type PageData } from './page_file.ts';

const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium';

/** Why tests with a browser cannot run here, or false. */
export const noBrowser: string | false = existsSync(CHROMIUM) ? false : `no browser at ${CHROMIUM}`;

export interface Session {
  data: PageData;
  url: string;
  folder: string;
  browser: Browser;
  close: () => Promise<void>;
}

export async function openSession(data: PageData = sampleData()): Promise<Session> {
  const folder = mkdtempSync(join(tmpdir(), 'crossflow-page-'));
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
  return {
    data,
    folder,
    browser,
    url: writePage(join(folder, 'page.html'), data),
    close: async () => {
      await browser.close();
      rmSync(folder, { recursive: true });
    },
  };
}

export interface Open {
  tab: Tab;
  /** Closes the tab; fails if the page asked for anything or complained. */
  done: () => Promise<void>;
}

export async function openTab(
  session: Session,
  hash = '',
  options: { colorScheme?: 'light' | 'dark'; width?: number; height?: number } = {},
): Promise<Open> {
  const context = await session.browser.newContext({
    viewport: { width: options.width ?? 1280, height: options.height ?? 900 },
    colorScheme: options.colorScheme ?? 'light',
    reducedMotion: 'reduce',
  });
  const tab = await context.newPage();
  const complaints: string[] = [];
  tab.on('console', (message) => complaints.push(message.text()));
  tab.on('pageerror', (error) => complaints.push(error.message));
  tab.on('dialog', (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  tab.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(session.url) && !/^(data|blob):/.test(url)) complaints.push(`request: ${url}`);
  });
  await tab.goto(session.url + hash);
  await tab.waitForSelector('#report-content');
  return {
    tab,
    done: async () => {
      await context.close();
      assert.deepEqual(complaints, []);
    },
  };
}

/** An assertion that becomes true with the page's next frames. */
export async function eventually(assertion: () => Promise<void>): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      await assertion();
      return;
    } catch (error) {
      if (attempt === 40) throw error;
      await new Promise((done) => setTimeout(done, 50));
    }
  }
}

/** Texts of all elements that a selector finds, in order. */
export const texts = (tab: Tab, selector: string): Promise<string[]> => tab.locator(selector).allTextContents();

/** What a click on a button saves. */
export async function saved(tab: Tab, click: () => Promise<void>): Promise<{ name: string; bytes: Buffer }> {
  const [download] = await Promise.all([tab.waitForEvent('download'), click()]);
  return { name: download.suggestedFilename(), bytes: readFileSync(await download.path()) };
}

/** Rows of a CSV file without quoted line breaks. */
export function csvRows(bytes: Buffer): string[][] {
  const text = bytes.toString('utf8').replace(/^\ufeff/, '');
  return text
    .split('\r\n')
    .filter((line) => line !== '')
    .map((line) =>
      [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map((m) => m[1]?.replaceAll('""', '"') ?? m[2] ?? ''),
    );
}
