/* The overview in a real browser: what stands on it is what is in the data, and every switch does what it says. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { noBrowser, openSession, openTab, texts, type Session } from './browser.ts';
import type { Curve } from '../src/data.ts';
import type { Page as Tab } from 'playwright-core';

/** As a reader sees a number, made without the page's code. */
function seen(value: number | null, digits: number): string {
  if (value === null) return '–';
  const text = value.toFixed(digits).replace('-', '−');
  return Number(value.toFixed(digits)) === 0 ? text.replace('−', '') : text;
}

/** The values that the readout shows: [label, value] of each line. */
async function readout(tab: Tab): Promise<string[][]> {
  return tab.$$eval('.readout tr', (rows) =>
    rows.map((row) => [...row.querySelectorAll('td')].slice(0, 2).map((cell) => cell.textContent.trim())),
  );
}

describe('the overview', { skip: noBrowser }, () => {
  let session: Session;
  before(async () => {
    session = await openSession();
  });
  after(() => session.close());

  const trace = () => session.data.page.studies[0]!;
  const curve = (task: string | null, flow: number, window: number, measure = 'probability'): Curve =>
    trace().curves.find((c) => c.task === task && c.flow === flow && c.window === window && c.measure === measure)!;
  const name = (flow: number): string => trace().flows[flow]!.text.replace('->', ' → ');

  test('it opens from disk without a request and without a complaint', async () => {
    const { tab, done } = await openTab(session);
    assert.equal(await tab.title(), `${session.data.page.title} · crossflow`);
    assert.equal(await tab.textContent('h1'), session.data.page.title);
    for (const link of await tab.locator('nav a').all()) await link.click();
    await tab.waitForSelector('.map-head');
    await done();
  });

  test('each panel reads the means of its task, layer by layer, with the keys', async () => {
    const { tab, done } = await openTab(session);
    for (const [p, task] of trace().tasks.entries()) {
      await tab.locator('section[aria-labelledby=curves-title] .panel').nth(p).focus();
      for (let layer = 0; layer < trace().nLayers; layer++) {
        await tab.keyboard.press('ArrowRight');
        const expected = trace().flows.map((_, f) => [name(f), seen(curve(task, f, 1).mean[layer]!, 1)]);
        assert.deepEqual(await readout(tab), expected, `${task}, layer ${layer}`);
      }
    }
    await done();
  });

  test('intervals and the number of samples stand beside the means', async () => {
    const { tab, done } = await openTab(session);
    await tab.locator('.panel').first().focus();
    for (let i = 0; i < 3; i++) await tab.keyboard.press('ArrowRight');
    const c = curve('ChooseAttr', 0, 1);
    assert.equal(
      await tab.textContent('.readout tr:first-child .interval'),
      `[${seen(c.low[2]!, 1)}, ${seen(c.high[2]!, 1)}]`,
    );
    assert.equal(await tab.textContent('.readout p'), `layer 2 · ${c.n[2] ?? 0} samples`);
    await done();
  });

  test('the pointer reads the layer that it is nearest to', async () => {
    const { tab, done } = await openTab(session);
    const box = (await tab.locator('.sensor').first().boundingBox())!;
    await tab.mouse.move(box.x + (box.width * 8.3) / 11, box.y + 40);
    assert.match((await tab.textContent('.readout p'))!, /^layer 8 /);
    await tab.mouse.move(box.x - 40, box.y - 60);
    assert.equal(await tab.locator('.readout').count(), 0);
    await done();
  });

  test('another measure and absolute values are those of the data', async () => {
    const { tab, done } = await openTab(session);
    await tab.selectOption('section[aria-labelledby=curves-title] select', 'flip');
    await tab.locator('.panel').first().focus();
    for (let i = 0; i < 9; i++) await tab.keyboard.press('ArrowRight');
    assert.deepEqual((await readout(tab))[0], [name(0), seen(curve('ChooseAttr', 0, 1, 'flip').mean[8]!, 1)]);
    await tab.selectOption('section[aria-labelledby=curves-title] select', 'probability');
    await tab.getByText('absolute', { exact: true }).click();
    await tab.locator('.panel').first().focus();
    await tab.keyboard.press('ArrowRight');
    assert.deepEqual((await readout(tab))[3], [name(3), seen(curve('ChooseAttr', 3, 1).absolute[0]!, 4)]);
    assert.equal((await texts(tab, '.panel text')).filter((t) => t === 'nothing cut').length, 2);
    await done();
  });

  test('flows are switched off and on, or left alone with a double click', async () => {
    const { tab, done } = await openTab(session);
    const flow = tab.getByRole('button', { name: name(3), exact: true });
    const lines = async (): Promise<string[]> => {
      await tab.locator('.panel').first().focus();
      await tab.keyboard.press('Home');
      return (await readout(tab)).map(([label]) => label!);
    };
    assert.equal((await lines()).length, 6);
    await flow.click();
    assert.equal(await flow.getAttribute('aria-pressed'), 'false');
    assert.deepEqual(
      await lines(),
      [0, 1, 2, 4, 5].map((f) => name(f)),
    );
    await flow.dblclick();
    assert.deepEqual(await lines(), [name(3)]);
    await done();
  });

  test('windows are compared with dashes, tasks and windows in panels of their own', async () => {
    const { tab, done } = await openTab(session);
    const section = tab.locator('section[aria-labelledby=curves-title]');
    await section.getByRole('button', { name: 'window 9' }).click();
    assert.deepEqual(await texts(tab, '.key'), [' window 1', ' window 9']);
    await tab.locator('.panel').first().focus();
    await tab.keyboard.press('Home');
    assert.deepEqual((await readout(tab))[1], [`${name(0)} · window 9`, seen(curve('ChooseAttr', 0, 9).mean[0]!, 1)]);
    assert.ok((await section.locator('path[stroke-dasharray]').count()) > 0);

    await section.locator('.choose', { hasText: 'Panels' }).getByText('window').click();
    assert.deepEqual(await panelTitles(tab), ['window 1', 'window 9']);
    await section.locator('.choose', { hasText: 'Panels' }).getByText('flow').click();
    assert.deepEqual(
      await panelTitles(tab),
      trace().flows.map((_, f) => name(f)),
    );
    await section.locator('.choose', { hasText: 'Panels' }).getByText('task').click();
    await section.getByRole('button', { name: 'all tasks' }).click();
    assert.deepEqual(await panelTitles(tab), ['ChooseAttr', 'QueryAttr', 'all tasks']);
    await done();
  });

  test('bands are drawn or not', async () => {
    const { tab, done } = await openTab(session);
    const section = tab.locator('section[aria-labelledby=curves-title]');
    assert.equal(await section.locator('path[fill-opacity]').count(), 12);
    await section.getByLabel('95 % bands').click();
    assert.equal(await section.locator('path[fill-opacity]').count(), 0);
    await done();
  });

  test('the same numbers stand in the grid', async () => {
    const { tab, done } = await openTab(session);
    const section = tab.locator('section[aria-labelledby=curves-title]');
    await section.getByText('grid', { exact: true }).click();
    const cells = await texts(tab, 'section[aria-labelledby=curves-title] figure:first-of-type .panel text');
    const expected = trace().flows.flatMap((_, f) => curve('ChooseAttr', f, 1).mean.map((m) => seen(m, 1)));
    assert.deepEqual(cells, expected);
    await done();
  });

  test('nothing chosen says so', async () => {
    const { tab, done } = await openTab(session);
    for (const task of trace().tasks)
      await tab.locator('section[aria-labelledby=curves-title]').getByRole('button', { name: task }).click();
    assert.match((await tab.textContent('.nothing'))!, /Nothing is chosen/);
    await done();
  });

  test('the table has each curve where it is strongest, at a clicked layer, or everywhere', async () => {
    const { tab, done } = await openTab(session);
    const rows = () =>
      tab.$$eval('section[aria-labelledby=statistics-title] tbody tr:not([aria-hidden])', (all) =>
        all.map((row) => [...row.querySelectorAll('td')].map((cell) => cell.textContent)),
      );
    const row = (c: Curve, i: number): string[] => [
      c.task!,
      name(c.flow),
      String(c.layer[i]),
      String(c.n[i]),
      String(c.nEmpty[i]),
      String(c.nWithout[i]),
      ...[c.mean[i]!, c.bootLow[i]!, c.bootHigh[i]!, c.median[i]!].map((v) => seen(v, 1)),
    ];
    const shown = trace().tasks.flatMap((task) => trace().flows.map((_, f) => curve(task, f, 1)));
    const strongest = (c: Curve): number => {
      const sizes = c.mean.map((m) => Math.abs(m ?? 0));
      return sizes.indexOf(Math.max(...sizes));
    };
    assert.deepEqual(
      (await rows()).map((cells) => cells.slice(0, 10)),
      shown.map((c) => row(c, strongest(c))),
    );
    const box = (await tab.locator('.sensor').first().boundingBox())!;
    await tab.mouse.click(box.x + (box.width * 5) / 11, box.y + 30);
    assert.deepEqual(
      (await rows()).map((cells) => cells.slice(0, 10)),
      shown.map((c) => row(c, 5)),
    );
    await tab.getByText('at every layer').click();
    const total = await tab.getAttribute('section[aria-labelledby=statistics-title] table', 'aria-rowcount');
    assert.equal(Number(total), 1 + shown.length * trace().nLayers);
    const scroll = tab.locator('section[aria-labelledby=statistics-title] .table-scroll');
    await scroll.evaluate((element) => (element.scrollTop = element.scrollHeight));
    await tab.waitForFunction(
      () => document.querySelector('section[aria-labelledby=statistics-title] tr[aria-rowindex="145"]') !== null,
    );
    const all = await rows();
    assert.deepEqual(all[all.length - 1]!.slice(0, 10), row(shown[shown.length - 1]!, trace().nLayers - 1));
    assert.ok(all.length < 80, `${all.length} rows are in the document`);
    await done();
  });

  test('the lens is the data’s, word by word and entry by entry', async () => {
    const { tab, done } = await openTab(session);
    const lens = session.data.page.studies[1]!;
    const section = tab.locator('section', { has: tab.getByText('When the answer appears') });
    await section.locator('.panel').first().focus();
    for (let entry = 0; entry <= 12; entry++) {
      await tab.keyboard.press('ArrowRight');
      const expected = lens.lens.filter((c) => c.task === 'ChooseAttr').map((c) => [c.line, seen(c.mean[entry]!, 2)]);
      assert.deepEqual(await readout(tab), expected);
    }
    await done();
  });

  test('kept, left out and faults are counted, and every remark is there', async () => {
    const { tab, done } = await openTab(session);
    const { counts, name: file } = trace();
    const cells = await texts(tab, '.studies tbody tr:first-child td');
    assert.deepEqual(cells.slice(3, 6), [String(counts.done), String(counts.wrong), String(counts.fault)]);
    await tab.locator('.remarks summary').click();
    const remarks = await texts(tab, '.remarks li');
    assert.ok(remarks.some((r) => r.startsWith(`${file}: ${counts.emptyGroup} values with an empty group`)));
    assert.ok(remarks.some((r) => r.includes(trace().faults[0]!.reason)));
    assert.ok(remarks.includes(session.data.page.notes[0]!));
    await done();
  });

  test('every fact of every study is there, as text', async () => {
    const { tab, done } = await openTab(session);
    for (const summary of await tab.locator('.provenance summary').all()) await summary.click();
    const cells = await texts(tab, '.provenance td');
    for (const study of session.data.page.studies)
      for (const fact of study.facts) {
        assert.ok(cells.includes(fact.key));
        assert.ok(cells.includes(fact.value));
      }
    await done();
  });

  async function panelTitles(tab: Tab): Promise<string[]> {
    return tab.$$eval('section[aria-labelledby=curves-title] .panel', (panels) =>
      panels.map((panel) => panel.querySelector('text')!.textContent),
    );
  }
});
