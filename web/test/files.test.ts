/* What the page saves: every chart as SVG and PNG, every table and chart as CSV with all digits. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { csvRows, noBrowser, openSession, openTab, saved, type Session } from './browser.ts';

describe('saved files', { skip: noBrowser }, () => {
  let session: Session;
  before(async () => {
    session = await openSession();
  });
  after(() => session.close());

  const places = ['#overview', '#samples/0/0', '#samples/0/3', '#maps/2/0', '#maps/2/1', '#maps/2/2'];

  for (const scheme of ['light', 'dark'] as const)
    test(`every chart of every view is saved as an SVG that stands alone, in ${scheme} colours`, async () => {
      let charts = 0;
      for (const place of places) {
        const { tab, done } = await openTab(session, place, { colorScheme: scheme });
        await tab.waitForSelector('figure .save');
        for (const button of await tab.getByRole('button', { name: 'SVG' }).all()) {
          const { name, bytes } = await saved(tab, () => button.click());
          const text = bytes.toString('utf8');
          assert.match(name, /\.svg$/);
          assert.ok(
            !/light-dark\(|var\(--|currentColor|transparent" onclick/.test(text),
            `${name}: colours of the page`,
          );
          assert.ok(text.includes(scheme === 'light' ? '#fdfcfa' : '#15171a') || name.startsWith('picture'), name);
          const fault = await tab.evaluate((xml) => {
            const parsed = new DOMParser().parseFromString(xml, 'image/svg+xml');
            const hrefs = [...parsed.querySelectorAll('[href]')].map((e) => e.getAttribute('href')!);
            const outside = hrefs.filter((h) => !/^(data:|#)/.test(h));
            return parsed.querySelector('parsererror')?.textContent ?? outside.join();
          }, text);
          assert.equal(fault, '', name);
          charts++;
        }
        await done();
      }
      assert.ok(charts >= 12, `${charts} charts`);
    });

  test('every chart of every view is saved as a PNG that is not empty', async () => {
    for (const place of places) {
      const { tab, done } = await openTab(session, place);
      await tab.waitForSelector('figure .save');
      for (const button of await tab.getByRole('button', { name: 'PNG' }).all()) {
        const { name, bytes } = await saved(tab, () => button.click());
        assert.match(name, /\.png$/);
        assert.equal(bytes.subarray(1, 4).toString('latin1'), 'PNG');
        assert.ok(bytes.readUInt32BE(16) >= 800, `${name}: ${bytes.readUInt32BE(16)} pixels wide`);
        const colours = await tab.evaluate(async (base64) => {
          const image = new Image();
          image.src = `data:image/png;base64,${base64}`;
          await image.decode();
          const canvas = new OffscreenCanvas(image.width, image.height);
          const context = canvas.getContext('2d')!;
          context.drawImage(image, 0, 0);
          const seen = new Set<number>();
          const { data } = context.getImageData(0, 0, image.width, image.height);
          for (let i = 0; i < data.length; i += 4) seen.add((data[i]! << 16) | (data[i + 1]! << 8) | data[i + 2]!);
          return seen.size;
        }, bytes.toString('base64'));
        assert.ok(colours > 20, `${name}: ${colours} colours`);
      }
      await done();
    }
  });

  test('the curves’ CSV has the data’s numbers to the last digit', async () => {
    const { tab, done } = await openTab(session);
    const section = tab.locator('section[aria-labelledby=curves-title]');
    const { bytes } = await saved(tab, () => section.getByRole('button', { name: 'CSV' }).click());
    const [head, ...rows] = csvRows(bytes);
    const { curves, flows, tasks } = session.data.page.studies[0]!;
    const expected = curves
      .filter((c) => c.measure === 'probability' && c.window === 1 && c.task !== null && tasks.includes(c.task))
      .flatMap((c) =>
        c.layer.map((layer, i) => [c.task, flows[c.flow]!.text, layer, c.n[i], c.mean[i], c.low[i], c.high[i]]),
      );
    const columns = ['task', 'flow', 'layer', 'n', 'mean', 'low', 'high'].map((name) => head!.indexOf(name));
    assert.deepEqual(
      rows.map((row) => columns.map((c) => row[c])),
      expected.map((row) => row.map(String)),
    );
    await done();
  });

  test('the tables’ CSV files have every row, shown or not', async () => {
    const { tab, done } = await openTab(session);
    const section = tab.locator('section[aria-labelledby=statistics-title]');
    await section.getByText('at every layer').click();
    const { bytes } = await saved(tab, () => section.getByRole('button', { name: 'CSV' }).click());
    const rows = csvRows(bytes);
    assert.equal(rows.length, 1 + 2 * 6 * 12);
    const first = session.data.page.studies[0]!.curves[0]!;
    assert.equal(rows[1]![rows[0]!.indexOf('p')], String(first.p[0]));
    await tab.locator('.provenance summary').first().click();
    const facts = await saved(tab, () =>
      tab.locator('.provenance').getByRole('button', { name: 'CSV' }).first().click(),
    );
    assert.ok(facts.bytes.toString('utf8').includes('"crossflow trace demo/model ""q</script>.csv"" --window 1,9"'));
    await done();
  });
});
