/* The samples' view in a real browser: the list finds what it is asked for, a sample shows what the data has of it. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { flagsOf, jsonOf, numbersOf } from './blobs.ts';
import { eventually, noBrowser, openSession, openTab, texts, type Session } from './browser.ts';
import type { Detail, Sample } from '../src/data.ts';
import type { Page as Tab } from 'playwright-core';

describe('the samples', { skip: noBrowser }, () => {
  let session: Session;
  let samples: Sample[];
  before(async () => {
    session = await openSession();
    samples = jsonOf(session.data, session.data.page.studies[0]!.samples);
  });
  after(() => session.close());

  const trace = () => session.data.page.studies[0]!;
  const menu = (tab: Tab, label: string) => tab.locator('.filters').getByLabel(label, { exact: true });
  const foundText = (n: number): string =>
    n === samples.length ? `${n} samples` : `${n} of ${samples.length} samples`;
  const effectsOf = (flow: number, window: number): Map<number, number> => {
    const { samples: rows, columns, values } = trace().effects!;
    const numbers = numbersOf(session.data, values);
    const column = columns.findIndex((c) => c.flow === flow && c.window === window);
    return new Map(rows.map((sample, i) => [sample, numbers[i * columns.length + column]!]));
  };

  test('a text that would like to be markup is shown as it is', async () => {
    const hostile = samples[2]!;
    assert.ok(hostile.question.includes('</script><script>'));
    const { tab, done } = await openTab(session, '#samples/0/2');
    await tab.waitForSelector('.question');
    assert.equal(await tab.textContent('.question'), hostile.question);
    assert.equal(await tab.textContent('.said'), hostile.predicted);
    assert.ok((await texts(tab, '.list-question')).includes(hostile.question));
    assert.equal(await tab.locator('#report script, #report b:not(.map-answer b), #report img').count(), 0);
    assert.equal(await tab.locator('script').count(), 2 + Object.keys(session.data.blobs).length);
    await done();
  });

  test('the list is filtered by words, task, answer and effect', async () => {
    const { tab, done } = await openTab(session, '#samples');
    await tab.waitForSelector('.list-row');
    const found = () => tab.textContent('.found');
    assert.equal(await found(), foundText(samples.length));
    await tab.getByLabel('Search questions and answers').fill('TRIANGLE small');
    assert.equal(await found(), foundText(samples.filter((s) => s.question.includes('triangle')).length));
    await tab.getByLabel('Search questions and answers').fill('');
    await menu(tab, 'Task').selectOption('QueryAttr');
    await menu(tab, 'Answer').selectOption('wrong');
    const wrong = samples.filter((s) => s.task === 'QueryAttr' && s.status === 'wrong').length;
    assert.ok(wrong > 0);
    assert.equal(await found(), foundText(wrong));
    await menu(tab, 'Task').selectOption('');
    await menu(tab, 'Answer').selectOption('');
    const effects = effectsOf(0, 1);
    await tab.getByLabel('at least').fill('70');
    const large = [...effects.values()].filter((e) => Math.abs(e) >= 70).length;
    assert.ok(large > 0 && large < effects.size);
    assert.equal(await found(), foundText(large));
    await done();
  });

  test('the list is ordered by the effect of the chosen flow', async () => {
    const { tab, done } = await openTab(session, '#samples');
    await tab.waitForSelector('.list-row');
    await menu(tab, 'Effect of').selectOption({ label: 'Image → Question, window 9' });
    await menu(tab, 'Order').selectOption('fall');
    const expected = [...effectsOf(3, 9).values()]
      .sort((a, b) => a - b)
      .map((e) => `${e.toFixed(1).replace('-', '−')} %`);
    const shown = await texts(tab, '.list-effect');
    assert.ok(shown.length > 8);
    assert.deepEqual(shown, expected.slice(0, shown.length));
    await menu(tab, 'Order').selectOption('sure');
    const surest = samples.reduce((best, s) => ((s.probability ?? 0) > (best.probability ?? 0) ? s : best));
    await eventually(async () => {
      await tab.locator('.list-row').first().click();
      assert.match((await tab.textContent('.eyebrow'))!, new RegExp(`· ${surest.questionId} ·`));
    });
    await done();
  });

  test('next and previous, the keys of the list, and the address move through it', async () => {
    const { tab, done } = await openTab(session, '#samples/0/0');
    const row = async (): Promise<string> => (await tab.textContent('.sample .eyebrow'))!;
    await tab.waitForSelector('.sample');
    assert.ok(await tab.getByRole('button', { name: '← Previous' }).isDisabled());
    await tab.getByRole('button', { name: 'Next →' }).click();
    assert.ok((await row()).includes(samples[1]!.questionId));
    await tab.getByRole('button', { name: '← Previous' }).click();
    assert.ok((await row()).includes(samples[0]!.questionId));
    await tab.keyboard.press('j');
    assert.ok((await row()).includes(samples[1]!.questionId));
    await tab.locator('.list').focus();
    await tab.keyboard.press('End');
    assert.ok((await row()).includes(samples[39]!.questionId));
    assert.equal(new URL(tab.url()).hash, '#samples/0/39');
    assert.equal(await tab.locator('.list-row[aria-selected=true]').count(), 1);
    await tab.goBack();
    assert.ok((await row()).includes(samples[1]!.questionId));
    await done();
  });

  test('a sample has its answer, tokens, groups and positions', async () => {
    const s = samples[0]!;
    const { tab, done } = await openTab(session, '#samples/0/0');
    await tab.waitForSelector('.token');
    assert.equal(await tab.textContent('.said'), s.predicted);
    const shown = await texts(tab, '.token');
    assert.equal(shown.length, s.tokens.length);
    s.tokens.forEach((stored, i) => {
      if (stored === null) assert.match(shown[i]!, /^picture · 144 positions$/);
      else assert.equal(shown[i], stored === '<0x0A>' ? '↵' : stored);
    });
    const last = tab.locator('.token').last();
    await last.hover();
    assert.equal(await tab.textContent('.token-readout'), `Position ${s.nTokens - 1} “:”: Last, All`);
    const sizes = Object.entries(s.groups)
      .map(([group, spans]) => `${group} ${spans.reduce((n, [a, b]) => n + b - a, 0)}`)
      .filter((text) => !text.endsWith(' 0'));
    assert.deepEqual(await texts(tab, '.groups button'), sizes);
    await tab.getByRole('button', { name: /^Instruction/ }).click();
    const [from, to] = s.groups['Instruction']![0]!;
    assert.equal(await tab.locator('.token:not(.plain)').count(), to - from);
    await done();
  });

  test('the picture has its boxes, its patches and its tiles', async () => {
    const s = samples[3]!; // anyres
    const { tab, done } = await openTab(session, '#samples/0/3');
    await tab.waitForSelector('svg.picture');
    const svg = tab.locator('svg.picture');
    assert.equal(await svg.locator('image').getAttribute('href'), session.data.page.pictures[s.picture!]!.uri);
    assert.deepEqual(await texts(tab, 'svg.picture text'), ['triangle']);
    const box = svg.locator('g rect[stroke="#b3123f"]');
    assert.deepEqual(
      await Promise.all(['x', 'y', 'width', 'height'].map(async (a) => Number(await box.getAttribute(a)))),
      [s.boxes[0]!.x, s.boxes[0]!.y, s.boxes[0]!.w, s.boxes[0]!.h],
    );
    assert.equal(await svg.locator('rect[fill-opacity="0.38"]').count(), 4, 'the object’s patches of the base tile');
    await tab.getByText('high resolution', { exact: true }).click();
    assert.equal(await svg.locator('rect[fill-opacity="0.38"]').count(), 3, 'those of the high-resolution tiles');
    const sensor = (await svg.locator('.sensor').boundingBox())!;
    await tab.mouse.move(sensor.x + sensor.width * 0.5 + 2, sensor.y + sensor.height * 0.25 + 2);
    const hd = s.grids[1]!;
    const position = hd.at + 3 * (hd.columns + 1) + 3;
    assert.match(
      (await tab.textContent('.sample-top figcaption'))!,
      new RegExp(`^Position ${position}: high resolution, row 3, column 3;`),
    );
    await tab.getByLabel('boxes').uncheck();
    assert.equal(await box.count(), 0);
    assert.ok((await svg.locator('path').count()) > 0);
    await tab.getByLabel('patches', { exact: true }).uncheck();
    assert.equal(await svg.locator('path').count(), 0);
    await tab.getByLabel('object’s patches').uncheck();
    assert.equal(await svg.locator('rect[fill-opacity="0.38"]').count(), 0);
    await done();
  });

  test('keys read tokens and patches', async () => {
    const s = samples[3]!;
    const { tab, done } = await openTab(session, '#samples/0/3');
    await tab.locator('.tokens').focus();
    await tab.keyboard.press('ArrowRight');
    await tab.keyboard.press('ArrowRight');
    await eventually(async () => assert.match((await tab.textContent('.token-readout'))!, /^Position 1 “▁US”/));
    await tab.locator('svg.picture').focus();
    for (const key of ['ArrowDown', 'ArrowDown', 'ArrowRight']) await tab.keyboard.press(key);
    const position = s.grids[0]!.at + s.grids[0]!.columns + 1;
    await eventually(async () =>
      assert.match((await tab.textContent('.token-readout'))!, new RegExp(`^Position ${position}:`)),
    );
    await done();
  });

  test('its curves are made of its own values', async () => {
    const block = trace().values.find((b) => b.measure === 'probability')!;
    const values = numbersOf(session.data, block.values);
    const flags = flagsOf(session.data, block.flags);
    const s = samples[1]!; // one run of it has no number
    const at = block.samples.indexOf(s.index) * trace().runs.length;
    const { tab, done } = await openTab(session, `#samples/0/${s.index}`);
    await tab.waitForSelector('.sample-curves .panel');
    await tab.locator('.sample-curves .panel').focus();
    let without = 0;
    for (let layer = 0; layer < trace().nLayers; layer++) {
      await tab.keyboard.press('ArrowRight');
      const expected = trace().flows.map((_, flow) => {
        const run = trace().runs.findIndex((r) => r.flow === flow && r.window === 1 && r.centre === layer);
        if (flags[at + run] === 3) {
          without++;
          return '–';
        }
        const change = (100 * (values[at + run]! - s.probability!)) / s.probability!;
        return change
          .toFixed(1)
          .replace('-', '−')
          .replace(/^−0\.0$/, '0.0');
      });
      assert.deepEqual(await texts(tab, '.readout td.number'), expected, `layer ${layer}`);
    }
    assert.equal(without, 1);
    assert.match((await tab.textContent('.sample-curves figcaption'))!, /fully cut/);
    await tab.locator('.sample-curves').getByLabel('Window', { exact: true }).selectOption('window 9');
    await tab.locator('.sample-curves').getByText('absolute', { exact: true }).click();
    await tab.locator('.sample-curves .panel').focus();
    await tab.keyboard.press('Home');
    const run = trace().runs.findIndex((r) => r.flow === 1 && r.window === 9 && r.centre === 0);
    assert.equal((await texts(tab, '.readout td.number'))[1], values[at + run]!.toFixed(4));
    await done();
  });

  test('what it says under a cut, its lens of another study, and its maps are there', async () => {
    const { tab, done } = await openTab(session, '#samples/0/2');
    await tab.getByText('What it says instead').waitFor();
    assert.ok((await texts(tab, '.sample td')).includes('</script>'));
    await tab.getByText('What it would say after each layer').waitFor();
    const details = jsonOf<Detail[]>(session.data, session.data.page.studies[1]!.details);
    const lens = details.find((d) => d.sample === 2)!.lens;
    assert.equal(await tab.locator('.sample-lens tbody tr').count(), lens.length);
    const words = await texts(tab, '.sample-lens tbody tr:last-child .lens-word');
    assert.deepEqual(words, lens[lens.length - 1]!.words.slice(0, words.length));
    await tab.evaluate(() => (location.hash = '#samples/0/0'));
    await tab.getByText('Causal maps of this question').waitFor();
    await tab.locator('.map-links a').first().click();
    await tab.waitForSelector('.map-head');
    assert.equal(await tab.textContent('.map-head .question'), samples[0]!.question);
    await done();
  });

  test('a fault says why', async () => {
    const fault = samples.find((s) => s.status === 'fault')!;
    const { tab, done } = await openTab(session, `#samples/0/${fault.index}`);
    await tab.waitForSelector('.sample .failure');
    assert.equal(await tab.textContent('.sample .failure'), fault.reason);
    await done();
  });
});
