/* The causal maps in a real browser. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { jsonOf, numbersOf } from './blobs.ts';
import { noBrowser, openSession, openTab, texts, type Session } from './browser.ts';
import type { CausalMap, Sample } from '../src/data.ts';

describe('the causal maps', { skip: noBrowser }, () => {
  let session: Session;
  let samples: Sample[];
  before(async () => {
    session = await openSession();
    samples = jsonOf(session.data, session.data.page.studies[2]!.samples);
  });
  after(() => session.close());

  const maps = (): CausalMap[] => session.data.page.studies[2]!.maps;
  const changesOf = (map: CausalMap): number[] =>
    numbersOf(session.data, map.values).map((v) => (100 * (v - map.baseline!)) / map.baseline!);
  const seen = (v: number): string =>
    v
      .toFixed(1)
      .replace('-', '−')
      .replace(/^−0\.0$/, '0.0');

  test('a patch map opens at its strongest layer and reads every patch', async () => {
    const map = maps()[0]!;
    const changes = changesOf(map);
    const strongest = Math.floor(changes.indexOf(Math.min(...changes)) / map.columns.length);
    const { tab, done } = await openTab(session, '#maps/2/0');
    await tab.waitForSelector('svg.picture');
    assert.equal(await tab.textContent('.layer-slider output'), `layer ${strongest}`);
    const box = (await tab.locator('svg.picture .sensor').boundingBox())!;
    const sample = samples[map.sample]!;
    const grid = sample.grids[0]!;
    for (const [row, column] of [
      [0, 0],
      [5, 8],
      [11, 11],
    ] as const) {
      const x = grid.x + (column + 0.5) * grid.dx;
      const y = grid.y + (row + 0.5) * grid.dy;
      await tab.mouse.move(
        box.x + (x / sample.pictureWidth) * box.width,
        box.y + (y / sample.pictureHeight) * box.height,
      );
      const expected = changes[strongest * map.columns.length + row * grid.columns + column]!;
      const text = (await tab.textContent('.map-top figcaption'))!;
      assert.ok(text.startsWith(`Layer ${strongest}, row ${row}, column ${column} `), text);
      assert.ok(text.includes(`: ${seen(expected)}; value `), text);
    }
    await done();
  });

  test('the slider, the strip and the curve choose the layer; play goes on by itself', async () => {
    const { tab, done } = await openTab(session, '#maps/2/0');
    const layer = () => tab.textContent('.layer-slider output');
    await tab.getByLabel('Layer', { exact: true }).focus();
    await tab.keyboard.press('Home');
    assert.equal(await layer(), 'layer 0');
    await tab.keyboard.press('ArrowRight');
    assert.equal(await layer(), 'layer 1');
    await tab.locator('.strip-frame').nth(7).click();
    assert.equal(await layer(), 'layer 7');
    const box = (await tab.locator('.panel .sensor').first().boundingBox())!;
    await tab.mouse.click(box.x + (box.width * 3) / 11, box.y + 20);
    assert.equal(await layer(), 'layer 3');
    await tab.getByRole('button', { name: 'Play' }).click();
    await tab.getByText('layer 4', { exact: true }).waitFor();
    await tab.getByRole('button', { name: 'Stop' }).click();
    await done();
  });

  test('the heat is as opaque as the change is large, and its boxes, patches and grey are switched', async () => {
    const map = maps()[0]!;
    const changes = changesOf(map);
    const most = Math.max(...changes.map(Math.abs));
    const { tab, done } = await openTab(session, '#maps/2/0');
    await tab.waitForSelector('svg.picture');
    const frame = Math.floor(changes.indexOf(-most) / map.columns.length);
    const expected = changes
      .slice(frame * map.columns.length, (frame + 1) * map.columns.length)
      .map((c) => Math.abs(c) / most)
      .filter((o) => o >= 0.004);
    const drawn = await tab.$$eval('svg.picture g rect[fill-opacity]', (all) =>
      all.map((r) => Number(r.getAttribute('fill-opacity'))),
    );
    assert.equal(drawn.length, expected.length);
    drawn.forEach((o, i) => assert.ok(Math.abs(o - expected[i]!) < 1e-12));
    assert.equal(await tab.locator('svg.picture path').count(), 0);
    await tab.getByLabel('patches', { exact: true }).check();
    assert.ok((await tab.locator('svg.picture path').count()) > 0);
    await tab.getByLabel('boxes').uncheck();
    assert.equal(await tab.locator('svg.picture text').count(), 0);
    assert.ok((await tab.locator('svg.picture image').getAttribute('style'))!.includes('grayscale'));
    await tab.getByLabel('picture in grey').uncheck();
    assert.ok(!((await tab.locator('svg.picture image').getAttribute('style')) ?? '').includes('grayscale'));
    await done();
  });

  test('a token of the question is chosen, in its row or in the grid of tokens and patches', async () => {
    const map = maps()[1]!;
    const changes = changesOf(map);
    const { tab, done } = await openTab(session, '#maps/2/1');
    await tab.waitForSelector('.map-token');
    const sample = samples[map.sample]!;
    const words = sample.question.split(' ').map((w) => `▁${w}`);
    assert.deepEqual(await texts(tab, '.map-token'), words);
    await tab.locator('.map-token').nth(3).click();
    assert.equal(await tab.locator('.map-token[aria-pressed=true]').textContent(), words[3]);
    const layer = Number((await tab.textContent('.layer-slider output'))!.replace('layer ', ''));
    const grid = tab.locator('.panel').last();
    await grid.focus();
    await tab.keyboard.press('ArrowRight');
    for (let i = 0; i < 5; i++) await tab.keyboard.press('ArrowRight');
    await tab.keyboard.press('ArrowDown');
    const at = (layer * map.rows.length + 1) * map.columns.length + 5;
    const text = (await tab.locator('figcaption').last().textContent())!;
    assert.ok(text.startsWith(`the, position ${map.columns[5]![0] ?? ''}: ${seen(changes[at]!)}`), text);
    await tab.keyboard.press('Enter');
    assert.equal(await tab.locator('.map-token[aria-pressed=true]').textContent(), words[1]);
    assert.match((await tab.textContent('.map-top figcaption'))!, new RegExp(`: ${seen(changes[at]!)}; value`));
    await done();
  });

  test('heads by layers are a grid of the data’s changes', async () => {
    const map = maps()[2]!;
    const { tab, done } = await openTab(session, '#maps/2/2');
    await tab.waitForSelector('.panel');
    assert.deepEqual(await texts(tab, '.panel text'), changesOf(map).map(seen));
    await done();
  });

  test('question and map are chosen in menus, the anyres picture by its tiles', async () => {
    const { tab, done } = await openTab(session, '#maps');
    await tab.waitForSelector('.map-head');
    await tab.getByLabel('Question', { exact: true }).selectOption('3');
    assert.equal(new URL(tab.url()).hash, '#maps/2/3');
    await tab.getByText('high resolution', { exact: true }).click();
    const hd = samples[3]!.grids[1]!;
    const heat = await tab.locator('svg.picture g rect[fill-opacity]').count();
    assert.ok(heat > hd.rows * hd.columns * 0.5);
    await tab.getByLabel('Map', { exact: true }).selectOption('5');
    await tab.getByText('One head cut at a time').waitFor();
    await tab.locator('.map-head a').click();
    assert.equal(new URL(tab.url()).hash, '#samples/2/3');
    await done();
  });
});
