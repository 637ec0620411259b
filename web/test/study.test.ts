/* The page's arithmetic and choices without a browser. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { contrast, onDark, PAPER, VARIANTS, GROUP_COLOURS, pair } from '../src/palette.ts';
import { flowName, number, pValue, probability, tokenText } from '../src/format.ts';
import { firstMap } from '../src/report.ts';
import { csv, resolveColours } from '../src/save.ts';
import { change, curvesOf, indexOf } from '../src/study/changes.ts';
import { EVERYTHING, find, searchTexts } from '../src/study/find.ts';
import { figureOf, firstChoice, spotsOf } from '../src/study/figure.ts';
import { heatOf, strongestFrame, strongestRow } from '../src/study/heat.ts';
import { extent, patchAt, positionOf, promptOf } from '../src/study/patches.ts';
import { jsonOf } from './blobs.ts';
import { sampleData } from './page_file.ts';
import type { CausalMap, PatchGrid, Sample, Study, ValueBlock } from '../src/data.ts';

const data = sampleData();
const study = data.page.studies[0]!;
const samples = jsonOf(data, study.samples);

describe('changes', () => {
  test('a change is that of its measure, and none where there is no number', () => {
    assert.equal(change('relative', 0.5, 0.25), -50);
    assert.ok(Number.isNaN(change('relative', 0, 0.25)));
    assert.ok(Number.isNaN(change('relative', null, 0.25)));
    assert.equal(change('difference', 2, -1), -3);
    assert.equal(change('share', undefined, 1), 100);
    assert.ok(Number.isNaN(change('none', 1, 1)));
  });

  test('repeats are averaged within their sample, and flags keep values out', () => {
    const runs = [0, 1, 0].map((repeat, i) => ({
      flow: 0,
      heads: 'all',
      repeat,
      style: 'centre' as const,
      window: 3,
      centre: i === 2 ? 1 : 0,
      layers: '',
    }));
    const small: Study = { ...study, runs };
    const sample = { ...samples[0]!, probability: 0.5 };
    const block: ValueBlock = {
      measure: 'probability',
      samples: [sample.index],
      all: true,
      values: { id: '', kind: 'f64', n: 3 },
      flags: { id: '', kind: 'u8', n: 3 },
    };
    const curves = curvesOf(small, sample, block, Float64Array.of(0.5, 0.25, NaN), Uint8Array.of(0, 0, 4));
    assert.deepEqual(curves, [
      {
        flow: 0,
        window: 'window 3',
        layer: [0, 1],
        change: [-25, null],
        value: [0.375, null],
        flag: ['', 'too few keys'],
      },
    ]);
    const absent = curvesOf(small, sample, block, Float64Array.of(0.5, 0.25, NaN), Uint8Array.of(255, 255, 255));
    assert.deepEqual(absent, []);
  });

  test('a place in a rising list is found, or is -1', () => {
    assert.deepEqual(
      [1, 4, 9, 0, 5, 10].map((v) => indexOf([1, 4, 9], v)),
      [0, 1, 2, -1, -1, -1],
    );
  });
});

describe('a figure', () => {
  test('it opens with the first study, its tasks in panels, its first window and every flow', () => {
    const choice = firstChoice(data.page);
    const figure = figureOf(
      data.page,
      choice,
      study.flows.map((f) => f.text),
    );
    assert.deepEqual(
      figure.panels.map((p) => p.title),
      study.tasks,
    );
    for (const panel of figure.panels)
      assert.deepEqual(
        panel.lines.map((l) => [l.label, l.colour]),
        study.flows.map((f) => [flowName(f.text), f.colour]),
      );
  });

  test('a curve of one point is a spot, not a line', () => {
    const one = study.curves.map((c) => ({
      ...c,
      style: 'fixed' as const,
      layer: [0],
      mean: [-7],
      low: [-9],
      high: [-5],
    }));
    const page = { ...data.page, studies: [{ ...study, curves: one }] };
    const choice = firstChoice(page);
    assert.deepEqual(figureOf(page, choice, []).panels, []);
    const spots = spotsOf(page, choice);
    assert.equal(spots.length, study.tasks.length * study.flows.length * 2);
    assert.deepEqual([spots[0]!.y, spots[0]!.low, spots[0]!.high], [-7, -9, -5]);
  });

  test('absolute values have the baseline of their task beside them', () => {
    const choice = { ...firstChoice(data.page), absolute: true };
    const { panels } = figureOf(data.page, choice, []);
    const expected = study.tasks.map(
      (task) => study.baselines.find((b) => b.task === task && b.measure === 'probability')!.mean,
    );
    assert.deepEqual(
      panels.map((p) => p.reference),
      expected,
    );
  });
});

describe('the list of samples', () => {
  const texts = searchTexts(samples);
  test('samples without a number are last, whichever the order', () => {
    const effect = (i: number): number => (i % 3 === 0 ? NaN : i - 20);
    for (const order of ['fall', 'rise', 'size'] as const) {
      const found = find(samples, texts, { ...EVERYTHING, order }, effect);
      assert.equal(found.length, samples.length);
      const numbers = found.map(effect);
      const first = numbers.findIndex((n) => Number.isNaN(n));
      assert.ok(numbers.slice(first).every((n) => Number.isNaN(n)));
      const keys = numbers.slice(0, first).map((n) => (order === 'fall' ? n : order === 'rise' ? -n : -Math.abs(n)));
      assert.deepEqual(
        keys,
        [...keys].sort((a, b) => a - b),
      );
    }
  });

  test('samples without a picture on the page can be left out', () => {
    const found = find(samples, texts, { ...EVERYTHING, pictured: true }, () => NaN);
    assert.ok(found.length > 0 && found.length < samples.length);
    assert.ok(found.every((i) => samples[i]!.picture !== null));
  });

  test('every word of a search must be there, in any letter case', () => {
    const search = (text: string): number => find(samples, texts, { ...EVERYTHING, text }, () => NaN).length;
    assert.equal(search('q1007'), 1);
    assert.ok(search('CIRCLE blue') > 5);
    assert.equal(search('circle zebra'), 0);
  });
});

describe('positions', () => {
  const grid: PatchGrid = { kind: 'hd', at: 10, rows: 2, columns: 3, newline: 1, x: 5, y: 7, dx: 20, dy: 10 };
  test('a patch and its position belong together; a newline is no patch', () => {
    for (let row = 0; row < 2; row++)
      for (let column = 0; column < 3; column++) {
        const position = positionOf(grid, row, column);
        const patch = patchAt([grid], position);
        assert.deepEqual(patch, { grid: 0, row, column, x: 5 + 20 * column, y: 7 + 10 * row, w: 20, h: 10 });
      }
    assert.deepEqual(
      [9, 13, 17, 18].map((p) => patchAt([grid], p)),
      [null, null, null, null],
    );
  });

  test('the prompt’s tokens and the picture fill all of its positions', () => {
    for (const s of samples.filter((x) => x.status !== 'fault')) {
      const parts = promptOf(s);
      assert.equal(parts[0]!.position, 0);
      parts.slice(1).forEach((part, i) => assert.equal(part.position, parts[i]!.end));
      assert.equal(parts[parts.length - 1]!.end, s.nTokens);
      const image = parts.find((p) => p.token === null)!;
      assert.deepEqual([[image.position, image.end]], s.groups['Image']);
    }
  });

  test('a picture shows all that its grids reach over', () => {
    const sample: Sample = {
      ...samples[0]!,
      pictureWidth: 100,
      pictureHeight: 60,
      grids: [{ ...grid, x: -20, dy: 40 }],
    };
    assert.deepEqual(extent(sample), { x: -20, y: 0, w: 120, h: 87 });
  });
});

describe('a causal map', () => {
  test('it opens where its change is largest in size; what has no number is nowhere', () => {
    const map = { frames: [3, 4], rows: [0, 1], columns: [[1], [2]], baseline: 1 } as unknown as CausalMap;
    const heat = heatOf(map, 'relative', Float64Array.of(1, 1, 1, NaN, 1, 1, 1.5, 0.2));
    assert.equal(strongestFrame(heat), 1);
    assert.equal(strongestRow(heat, 1), 1);
    assert.equal(heat.most, 80);
  });

  test('changes that are nothing get a scale on which they are nothing', () => {
    const map = { frames: [], rows: [], columns: [[1], [2]], baseline: 1 } as unknown as CausalMap;
    const heat = heatOf(map, 'relative', Float64Array.of(1, 0.9999999));
    assert.equal(heat.most, 1);
    assert.ok(heat.largest < 1e-4);
  });

  test('a saturated probability gives way to the logit difference', () => {
    const map = (measure: string, baseline: number): CausalMap =>
      ({ kind: 'patches', title: 'a', sample: 0, measure, baseline }) as unknown as CausalMap;
    assert.equal(firstMap([map('probability', 0.999), map('difference', 17)]), 1);
    assert.equal(firstMap([map('probability', 0.8), map('difference', 2)]), 0);
    assert.equal(firstMap([map('probability', 0.999), { ...map('difference', 17), sample: 1 }]), 0);
    assert.equal(firstMap([]), 0);
  });
});

describe('what is written', () => {
  test('numbers have a minus sign and no minus zero', () => {
    assert.deepEqual(
      [number(-1.26, 1), number(-0.04, 1), number(0, 2), number(null), number(NaN), number(12.346, 2)],
      ['−1.3', '0.0', '0.00', '–', '–', '12.35'],
    );
    assert.equal(probability(0.5), '0.5000');
    assert.equal(probability(1.26e-7), '1.3·10⁻⁷');
    assert.equal(probability(0), '0.0000');
    assert.equal(pValue(0.0123), '0.012');
    assert.equal(pValue(1e-12), '1.0·10⁻¹²');
  });

  test('a token is its text without its mark', () => {
    assert.deepEqual(['▁the', 'Ġthe', 'ing', '<0x0A>', '▁'].map(tokenText), [
      { mark: true, text: 'the' },
      { mark: true, text: 'the' },
      { mark: false, text: 'ing' },
      { mark: false, text: '↵' },
      { mark: true, text: '' },
    ]);
  });

  test('CSV quotes what needs it and keeps every digit', () => {
    assert.equal(
      csv(
        ['a', 'b,c'],
        [
          ['say "x"', 0.1 + 0.2],
          ['line\nbreak', null],
          ['', NaN],
        ],
      ),
      'a,"b,c"\r\n"say ""x""",0.30000000000000004\r\n"line\nbreak",\r\n,\r\n',
    );
  });

  test('colours are resolved for other programs', () => {
    assert.equal(resolveColours('fill="light-dark(#111111, #eeeeee)"', false), 'fill="#111111"');
    assert.equal(resolveColours('fill="light-dark(#111111, #eeeeee)"', true), 'fill="#eeeeee"');
  });
});

describe('colours', () => {
  const flows = ['#0072b2', '#d55e00', '#595959', '#009e73', '#cc79a7', '#e69f00', '#332288', '#882255', '#88ccee'];
  test('every line stands out from the dark page', () => {
    for (const colour of [...flows, ...VARIANTS, ...GROUP_COLOURS.map(([, c]) => c)])
      assert.ok(contrast(onDark(colour), PAPER.dark) >= 4.5, colour);
  });

  test('lines that differ stay different on the dark page', () => {
    assert.equal(new Set(flows.map(onDark)).size, flows.length);
  });

  test('a colour that is none is drawn in ink', () => {
    assert.equal(pair('red;}</style>'), pair('ink'));
  });
});
