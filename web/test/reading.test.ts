/* Reading the page in other ways: dark, printed, with the keyboard, with a screen reader, on a narrow screen. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { eventually, noBrowser, openSession, openTab, type Session } from './browser.ts';
import type { Page as Tab } from 'playwright-core';

describe('the page', { skip: noBrowser }, () => {
  let session: Session;
  before(async () => {
    session = await openSession();
  });
  after(() => session.close());

  const views = ['#overview', '#samples/0/0', '#maps/2/1', '#maps/2/2'];
  const background = (tab: Tab): Promise<string> => tab.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const LIGHT = 'rgb(253, 252, 250)';
  const DARK = 'rgb(21, 23, 26)';

  test('it is as dark as the system, or as its switch says, and remembers it', async () => {
    const { tab, done } = await openTab(session, '', { colorScheme: 'dark' });
    assert.equal(await background(tab), DARK);
    await tab.getByText('Light', { exact: true }).click();
    await eventually(async () => assert.equal(await background(tab), LIGHT));
    await tab.reload();
    await tab.waitForSelector('#report-content');
    await eventually(async () => assert.equal(await background(tab), LIGHT));
    await tab.getByText('Dark', { exact: true }).click();
    await eventually(async () => assert.equal(await background(tab), DARK));
    await done();
  });

  test('it prints in light colours and without controls', async () => {
    const { tab, done } = await openTab(session, '', { colorScheme: 'dark' });
    await tab.emulateMedia({ media: 'print' });
    assert.equal(await background(tab), LIGHT);
    for (const hidden of ['.page-head', '.save', '.row.options'])
      assert.equal(await tab.locator(hidden).first().isVisible(), false, hidden);
    assert.ok(await tab.locator('.panel').first().isVisible());
    await done();
  });

  test('every control has a name', async () => {
    for (const view of views) {
      const { tab, done } = await openTab(session, view);
      await tab.waitForSelector('section, article');
      await tab.waitForTimeout(300);
      const nameless = await tab.$$eval('button, a[href], input, select, [tabindex="0"]', (all) =>
        all
          .filter((e) => {
            const labelled = 'labels' in e && (e as HTMLInputElement).labels?.length;
            const label = e.getAttribute('aria-label') ?? e.getAttribute('aria-labelledby');
            return !labelled && !label && e.textContent.trim() === '';
          })
          .map((e) => e.outerHTML.slice(0, 120)),
      );
      assert.deepEqual(nameless, [], view);
      await done();
    }
  });

  test('every control is reached with the Tab key', async () => {
    for (const view of views) {
      const { tab, done } = await openTab(session, view);
      await tab.waitForSelector('section, article');
      await tab.waitForTimeout(300);
      // A group of radio buttons is one stop.
      const stops = await tab.$$eval('button, a[href], input, select, summary, [tabindex="0"]', (all) => {
        const radios = new Set<string>();
        return all.filter((e) => {
          if (e instanceof HTMLInputElement && e.type === 'radio') {
            if (radios.has(e.name)) return false;
            radios.add(e.name);
          }
          return !(e instanceof HTMLButtonElement && e.disabled) && e.checkVisibility();
        }).length;
      });
      const reached = new Set<string>();
      for (let i = 0; i < stops + 3; i++) {
        await tab.keyboard.press('Tab');
        reached.add(
          await tab.evaluate(() => {
            const at = document.activeElement;
            if (at === null || at === document.body) return '';
            return String([...document.querySelectorAll('*')].indexOf(at));
          }),
        );
      }
      reached.delete('');
      assert.equal(reached.size, stops, view);
      await done();
    }
  });

  test('what the keys read in a chart is spoken', async () => {
    const { tab, done } = await openTab(session);
    await tab.locator('.panel').first().focus();
    await tab.keyboard.press('Home');
    const spoken = (await tab.locator('[aria-live]').filter({ hasText: 'ChooseAttr, layer 0' }).textContent())!;
    assert.match(spoken, /^ChooseAttr, layer 0: Question → Last /);
    await tab.keyboard.press('Escape');
    assert.equal(await tab.locator('.readout').count(), 0);
    await done();
  });

  test('no view is wider than a small screen', async () => {
    for (const view of views) {
      const { tab, done } = await openTab(session, view, { width: 600, height: 800 });
      await tab.waitForSelector('section, article');
      await tab.waitForTimeout(300);
      const wide = await tab.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(wide <= 0, `${view}: ${wide} pixels too wide`);
      await done();
    }
  });

  test('an address that leads nowhere shows something', async () => {
    for (const hash of ['#samples/99/99', '#samples/0/999', '#maps/0/7', '#maps/2/-1', '#nothing', '#samples/x/y']) {
      const { tab, done } = await openTab(session, hash);
      await tab.waitForSelector('h1, .nothing');
      await done();
    }
  });
});
