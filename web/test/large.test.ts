/* A study of the published size: its page opens, and its list scrolls, without a wait. Times are of the machine that runs this:
 * the best of three. */
import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { noBrowser, openSession, openTab, type Session } from './browser.ts';
import { largePage, N_SAMPLES } from './large_page.ts';

describe('a page of 5,525 questions, 6 flows and 40 layers', { skip: noBrowser }, () => {
  let session: Session;
  before(async () => {
    session = await openSession(largePage());
  });
  after(() => session.close());

  test('it is smaller than 15 MB', () => {
    assert.ok(statSync(fileURLToPath(session.url)).size < 15e6);
  });

  test('it is interactive in two seconds, and decodes nothing before it is asked for', async (context) => {
    const times: number[] = [];
    for (let i = 0; i < 3; i++) {
      const { tab, done } = await openTab(session);
      await tab.waitForSelector('.panel');
      // From the navigation to the frame after the first chart: the page's own clock.
      times.push(
        await tab.evaluate(
          () => new Promise<number>((seen) => requestAnimationFrame(() => setTimeout(() => seen(performance.now())))),
        ),
      );
      await tab.locator('.panel').first().focus();
      await tab.keyboard.press('ArrowRight');
      assert.equal(await tab.locator('.readout').count(), 1);
      await done();
    }
    context.diagnostic(`seen after ${times.map((t) => t.toFixed(0)).join(', ')} ms`);
    assert.ok(Math.min(...times) < 2000);
  });

  test('opening the overview decodes no blob', async () => {
    const { tab, done } = await openTab(session);
    await tab.addInitScript({
      content: `
        window.decoded = 0;
        const decode = window.atob.bind(window);
        window.atob = (text) => (window.decoded++, decode(text));`,
    });
    await tab.reload();
    await tab.waitForSelector('.panel');
    const decoded = (): Promise<number> => tab.evaluate(() => (window as unknown as { decoded: number }).decoded);
    assert.equal(await decoded(), 0);
    await tab.locator('nav a').nth(1).click();
    await tab.waitForSelector('.list-row');
    assert.ok((await decoded()) > 0);
    await done();
  });

  test('its list has few rows in the document, whichever part is in sight', async (context) => {
    const { tab, done } = await openTab(session, '#samples');
    await tab.waitForSelector('.list-row');
    const frames = await tab.locator('.list').evaluate(async (list) => {
      const steps: number[] = [];
      let last = performance.now();
      for (let i = 0; i < 90; i++) {
        list.scrollTop += 900;
        await new Promise((next) => requestAnimationFrame(next));
        const now = performance.now();
        steps.push(now - last);
        last = now;
      }
      return steps.sort((a, b) => a - b);
    });
    context.diagnostic(
      `a frame while scrolling: median ${frames[45]!.toFixed(0)} ms, longest ${frames[89]!.toFixed(0)} ms`,
    );
    assert.ok(frames[45]! < 50);
    assert.ok((await tab.locator('.list-row').count()) < 60);
    await tab.locator('.list').focus();
    await tab.keyboard.press('End');
    await tab.waitForFunction(
      (id) => document.querySelector('.sample .eyebrow')?.textContent.includes(id),
      String(100000 + N_SAMPLES - 1),
    );
    await done();
  });
});
