/* screenshots.ts - the pictures of the page in docs/figures: overview, sample and causal maps, light and dark.
 *
 *   tsx test/screenshots.ts PAGE.html FOLDER
 *
 * PAGE.html has a trace, a lens and a map of patches. The PNG files are then made small with pngquant. */
import { join, resolve } from 'node:path';
import { chromium } from 'playwright-core';

const [page, folder] = process.argv.slice(2);
if (page === undefined || folder === undefined) throw new Error('usage: screenshots.ts PAGE.html FOLDER');

const browser = await chromium.launch({
  executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
  args: ['--no-sandbox'],
});
for (const colorScheme of ['light', 'dark'] as const) {
  const context = await browser.newContext({
    viewport: { width: 1240, height: 940 },
    colorScheme,
    deviceScaleFactor: 1.25,
  });
  const tab = await context.newPage();
  const shoot = (name: string): Promise<unknown> =>
    tab.screenshot({ path: join(folder, `report-${name}-${colorScheme}.png`) });

  await tab.goto(`file://${resolve(page)}`);
  const panel = (await tab.locator('.sensor').first().boundingBox())!;
  await tab.mouse.move(panel.x + (panel.width * 8) / 11, panel.y + panel.height / 2);
  await shoot('overview');

  await tab.goto(`file://${resolve(page)}#samples`);
  await tab.waitForSelector('.sample-curves .panel');
  await shoot('sample');

  await tab.goto(`file://${resolve(page)}#maps`);
  await tab.waitForSelector('svg.picture image');
  await shoot('map');
  await context.close();
}
await browser.close();
