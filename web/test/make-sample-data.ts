/* make-sample-data.ts - writes sample-data.json: a page's JSON and blobs, made up but of the right shape, for tests and
 * for drawing without the program. Two tasks, six flows, two windows, two measures, a lens study, causal maps, an
 * anyres picture, faults, numbers that are missing, texts that would like to be markup.
 *
 *   tsx test/make-sample-data.ts */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { deflateSync } from 'node:zlib';
import type {
  BytesBlob,
  CausalMap,
  Curve,
  Detail,
  JsonBlob,
  LensCurve,
  LensEntry,
  MeasureName,
  NumbersBlob,
  Page,
  Run,
  Sample,
  Study,
} from '../src/data.ts';

// ---- randomness: the same file every time ----

let state = 12345;
function random(): number {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32;
}

// ---- blobs ----

const blobs: Record<string, string> = {};
let nBlobs = 0;
function put(bytes: Uint8Array): string {
  const id = `blob-${nBlobs++}`;
  blobs[id] = deflateSync(bytes).toString('base64');
  return id;
}
function numbers(values: number[]): NumbersBlob {
  const bytes = new Uint8Array(Float64Array.from(values).buffer);
  const planes = new Uint8Array(bytes.length);
  for (let i = 0; i < values.length; i++) for (let k = 0; k < 8; k++) planes[k * values.length + i] = bytes[i * 8 + k]!;
  return { id: put(planes), kind: 'f64', n: values.length };
}
function flags(values: number[]): BytesBlob {
  return { id: put(Uint8Array.from(values)), kind: 'u8', n: values.length };
}
function json<T>(value: T): JsonBlob<T> {
  const bytes = new TextEncoder().encode(JSON.stringify(value));
  return { id: put(bytes), kind: 'json', n: bytes.length };
}

// ---- pictures ----

function crc32(bytes: Uint8Array): number {
  let c = ~0;
  for (const b of bytes) {
    c ^= b;
    for (let k = 0; k < 8; k++) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1;
  }
  return ~c >>> 0;
}

function png(width: number, height: number, rgb: (x: number, y: number) => [number, number, number]): string {
  const chunk = (name: string, data: Buffer): Buffer => {
    const body = Buffer.concat([Buffer.from(name, 'latin1'), data]);
    const out = Buffer.alloc(body.length + 8);
    out.writeUInt32BE(data.length, 0);
    body.copy(out, 4);
    out.writeUInt32BE(crc32(body), body.length + 4);
    return out;
  };
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 2, 0, 0, 0], 8);
  const rows = Buffer.alloc((width * 3 + 1) * height);
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) rows.set(rgb(x, y), y * (width * 3 + 1) + 1 + x * 3);
  const file = Buffer.concat([
    Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]),
    chunk('IHDR', head),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
  return `data:image/png;base64,${file.toString('base64')}`;
}
const pictures: Page['pictures'] = [
  {
    name: '000024.jpg',
    width: 448,
    height: 336,
    uri: png(336, 252, (x, y) =>
      (x - 216) ** 2 + (y - 134) ** 2 < 31 ** 2
        ? [40, 80, 220]
        : x > 40 && x < 110 && y > 60 && y < 130
          ? [220, 140, 40]
          : [200, 205, 210],
    ),
  },
  {
    name: `"><img src=x onerror=alert(1)>.png`,
    width: 300,
    height: 600,
    uri: png(168, 336, (x, y) => (Math.abs(x - 80) + Math.abs(y - 200) < 50 ? [30, 160, 60] : [235, 225, 205])),
  },
];

// ---- samples ----

const hostile = `Is </script><script>alert("1")</script> & <!-- '\`\u2028 left \u0000\ufffd?`;
const tasks = ['ChooseAttr', 'QueryAttr'];
const nLayers = 12;
const nSamples = 40;

function makeSample(index: number): Sample {
  const task = tasks[index < 24 ? 0 : 1]!;
  const row = index < 24 ? index : index - 24;
  const status = row % 9 === 7 ? 'fault' : row % 7 === 5 ? 'wrong' : 'done';
  const anyres = index % 5 === 3;
  const picture = index < 12 || index >= 32 ? (anyres ? 1 : 0) : null;
  const question =
    index === 2
      ? hostile
      : task === 'ChooseAttr'
        ? 'Is the circle blue or orange?'
        : 'What color is the square to the left of the very small triangle?';
  const fault = status === 'fault';
  const before = ['<s>', '▁US', 'ER', ':', '▁'];
  const words = question.split(' ').map((w) => `▁${w}`);
  const after = [
    '<0x0A>',
    '▁Answer',
    '▁the',
    '▁question',
    '▁using',
    '▁a',
    '▁single',
    '▁word',
    '▁or',
    '▁phrase',
    '.',
    '▁A',
    'SS',
    'IST',
    'ANT',
    ':',
  ];
  const at = before.length;
  const base = anyres
    ? { kind: 'base' as const, at, rows: 6, columns: 6, newline: 0 as const, x: 0, y: 0, dx: 300 / 6, dy: 600 / 6 }
    : { kind: 'base' as const, at, rows: 12, columns: 12, newline: 0 as const, x: 56, y: 0, dx: 28, dy: 28 };
  const hd = {
    kind: 'hd' as const,
    at: at + 36,
    rows: 12,
    columns: 6,
    newline: 1 as const,
    x: 0,
    y: 0,
    dx: 50,
    dy: 50,
  };
  const nImage = anyres ? 36 + 12 * 7 : 144;
  const q = at + nImage;
  const last = q + words.length + after.length - 1;
  const object: [number, number][] = anyres
    ? [
        [at + 14, at + 16],
        [at + 20, at + 22],
        [at + 36 + 45, at + 36 + 48],
      ]
    : [0, 1, 2].map((r) => [at + (4 + r) * 12 + 7, at + (4 + r) * 12 + 10]);
  const rest: [number, number][] = [];
  let from = at;
  for (const [a, b] of object) {
    rest.push([from, a]);
    from = b;
  }
  rest.push([from, at + nImage]);
  const p1 = 0.5 + 0.5 * random();
  return {
    index,
    task,
    row,
    questionId: `q${1000 + index}`,
    image: pictures[anyres ? 1 : 0]!.name,
    question,
    answer: index === 2 ? '<b>left</b>' : 'blue',
    trueOption: task === 'ChooseAttr' ? 'blue' : '',
    falseOption: task === 'ChooseAttr' ? 'orange' : '',
    object: 'circle',
    status,
    reason: fault ? 'picture 2.jpg: expected 448 x 336 pixels, found 336 x 448' : '',
    predicted: fault ? '' : status === 'wrong' ? 'orange' : index === 2 ? '<b>left</b>' : 'Blue',
    firstToken: fault ? -1 : 412,
    firstTokenText: fault ? '' : '▁Blue',
    probability: fault ? null : p1,
    baselines: fault || status === 'wrong' ? {} : { flip: 0 },
    nTokens: fault ? 0 : last + 1,
    tokens: fault ? [] : [...before, null, ...words, ...after],
    groups: fault
      ? {}
      : {
          Image: [[at, q]],
          'Image Central Object': object,
          'Image Without Central Object': rest,
          Question: [[q, q + words.length]],
          'True Option': task === 'ChooseAttr' ? [[q + 3, q + 4]] : [],
          Instruction: [[q + words.length, last - 4]],
          Last: [[last, last + 1]],
          All: [[0, last + 1]],
        },
    notes: index === 4 ? [`True Option "blue" occurs 2 times`] : [],
    pictureWidth: fault ? 0 : anyres ? 300 : 448,
    pictureHeight: fault ? 0 : anyres ? 600 : 336,
    boxes: fault
      ? []
      : anyres
        ? [{ name: 'triangle', x: 60, y: 260, w: 170, h: 190 }]
        : [{ name: 'circle', x: 247, y: 137, w: 82, h: 82 }],
    grids: fault ? [] : anyres ? [base, hd] : [base],
    picture: fault ? null : picture,
    detailed: !fault && picture !== null,
  };
}

// ---- a trace ----

const flowTexts = [
  'Question->Last',
  'Image->Last',
  'Last->Last',
  'Image->Question',
  'Image Central Object->Question',
  'Image Without Central Object->Question',
];
const colours = ['#1f77b4', '#ff7f0e', '#2ca02c', '#d62728', '#9467bd', '#8c564b'];
const measures: Study['measures'] = [
  {
    name: 'probability',
    label: "change of the answer's probability (%)",
    absoluteLabel: "the answer's probability",
    comparison: 'relative',
  },
  { name: 'flip', label: 'answers that flip (%)', absoluteLabel: 'answers that flip', comparison: 'share' },
];
const windows = [1, 9];

function meanOf(values: number[]): [number | null, number | null, number | null] {
  if (values.length === 0) return [null, null, null];
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const m2 = values.reduce((a, b) => a + (b - mean) ** 2, 0);
  const half = values.length < 2 ? 0 : 1.96 * Math.sqrt(m2 / (values.length - 1) / values.length);
  return [mean, mean - half, mean + half];
}

function makeTrace(): Study {
  const samples = Array.from({ length: nSamples }, (_, i) => makeSample(i));
  const kept = samples.filter((s) => s.status === 'done');
  const runs: Run[] = [];
  for (let flow = 0; flow < flowTexts.length; flow++)
    for (const window of windows)
      for (let centre = 0; centre < nLayers; centre++)
        runs.push({
          flow,
          heads: 'all',
          repeat: 0,
          style: 'centre',
          window,
          centre,
          layers: `${Math.max(0, centre - Math.floor(window / 2))}:${Math.min(nLayers, centre + Math.ceil(window / 2))}`,
        });
  const place = [8, 4, 10, 1, 4, 2];
  const probability = kept.map((s) =>
    runs.map((r) => {
      const d = (r.centre - place[r.flow]!) / (r.window === 9 ? 3 : 1.2);
      const drop = Math.exp(-d * d) * (r.flow === 2 ? 0.1 : 0.9) * (0.5 + 0.5 * random());
      return r.flow === 2 && r.centre === 0 && s.row === 1 ? NaN : s.probability! * (1 - drop) + 1e-4 * random();
    }),
  );
  const probabilityFlags = kept.map((s) =>
    runs.map((r) => (r.flow === 2 && r.centre === 0 && s.row === 1 ? 3 : r.flow >= 4 && s.row === 3 ? 1 : 0)),
  );
  const flip = kept.map((s, i) =>
    runs.map((_, j) => (Number.isNaN(probability[i]![j]!) ? NaN : probability[i]![j]! < s.probability! / 2 ? 1 : 0)),
  );
  const curves: Curve[] = [];
  for (const measure of ['probability', 'flip'] as MeasureName[])
    for (const task of [...tasks, null])
      for (let flow = 0; flow < flowTexts.length; flow++)
        for (const window of windows) {
          const c: Curve = {
            task,
            flow,
            style: 'centre',
            window,
            measure,
            layer: [],
            n: [],
            nEmpty: [],
            nWithout: [],
            mean: [],
            low: [],
            high: [],
            bootLow: [],
            bootHigh: [],
            median: [],
            p: [],
            r: [],
            absolute: [],
            absoluteLow: [],
            absoluteHigh: [],
            runs: [],
          };
          runs.forEach((run, j) => {
            if (run.flow !== flow || run.window !== window) return;
            const changes: number[] = [];
            const absolutes: number[] = [];
            let nWithout = 0;
            let nEmpty = 0;
            kept.forEach((s, i) => {
              if (task !== null && s.task !== task) return;
              const v = (measure === 'flip' ? flip : probability)[i]![j]!;
              if (Number.isNaN(v)) {
                nWithout++;
                return;
              }
              nEmpty += probabilityFlags[i]![j] === 1 ? 1 : 0;
              changes.push(measure === 'flip' ? 100 * v : (100 * (v - s.probability!)) / s.probability!);
              absolutes.push(v);
            });
            const [mean, low, high] = meanOf(changes);
            const [absolute, absoluteLow, absoluteHigh] = meanOf(absolutes);
            const sorted = [...changes].sort((a, b) => a - b);
            c.layer.push(run.centre);
            c.n.push(changes.length);
            c.nEmpty.push(nEmpty);
            c.nWithout.push(nWithout);
            c.mean.push(mean);
            c.low.push(low);
            c.high.push(high);
            c.bootLow.push(low);
            c.bootHigh.push(high);
            c.median.push(sorted[Math.floor(sorted.length / 2)] ?? null);
            c.p.push(10 ** (-8 * random()));
            c.r.push(-random());
            c.absolute.push(absolute);
            c.absoluteLow.push(absoluteLow);
            c.absoluteHigh.push(absoluteHigh);
            c.runs.push([j]);
          });
          curves.push(c);
        }
  const rows = kept.map((s) => s.index);
  const columns = flowTexts.flatMap((_, flow) => windows.map((window) => ({ flow, style: 'centre' as const, window })));
  const effects = kept.flatMap((s, i) =>
    columns.map((c) => {
      let most = NaN;
      runs.forEach((r, j) => {
        if (r.flow !== c.flow || r.window !== c.window) return;
        const change = (100 * (probability[i]![j]! - s.probability!)) / s.probability!;
        if (!Number.isNaN(change) && !(Math.abs(change) <= Math.abs(most))) most = change;
      });
      return most;
    }),
  );
  const details: Detail[] = samples
    .filter((s) => s.detailed)
    .map((s) => ({
      sample: s.index,
      answers: s.status === 'done' ? [{ run: 8, text: s.index === 2 ? '</script>' : 'Orange' }] : [],
      lens: [],
    }));
  return {
    name: 'study.db',
    kind: 'trace',
    model: 0,
    facts: [
      { key: 'backend', value: 'cpu, avx512 kernels, oneDNN 2.6.3, f32 products', identity: false },
      { key: 'checkpoint', value: '6259c44e698d85243218fd06a564a5a0', identity: true },
      { key: 'command', value: `crossflow trace demo/model "q</script>.csv" --window 1,9`, identity: false },
      { key: 'dtype', value: 'f32', identity: true },
      {
        key: 'prompt',
        value: 'USER: <image>\n{question} \nAnswer the question using a single word or phrase. ASSISTANT:',
        identity: true,
      },
    ],
    counts: {
      done: kept.length,
      wrong: samples.filter((s) => s.status === 'wrong').length,
      fault: samples.filter((s) => s.status === 'fault').length,
      emptyGroup: 96,
      noVisibleEdge: 0,
      fullyCut: 2,
      tooFewKeys: 0,
      lens: 0,
    },
    faults: [
      {
        reason: 'picture 2.jpg: expected 448 x 336 pixels, found 336 x 448',
        n: samples.filter((s) => s.status === 'fault').length,
      },
    ],
    tasks,
    nLayers,
    measures,
    flows: flowTexts.map((text, i) => ({ text, mode: 'cut', colour: colours[i]! })),
    curves,
    baselines: (['probability', 'flip'] as MeasureName[]).flatMap((measure) =>
      [...tasks, null].map((task) => {
        const values = kept
          .filter((s) => task === null || s.task === task)
          .map((s) => (measure === 'flip' ? 0 : s.probability!));
        const [mean, low, high] = meanOf(values);
        return { task, measure, n: values.length, mean, low, high };
      }),
    ),
    lens: [],
    runs,
    samples: json(samples),
    nSamples,
    values: [
      {
        measure: 'probability',
        samples: rows,
        all: true,
        values: numbers(probability.flat()),
        flags: flags(probabilityFlags.flat()),
      },
      {
        measure: 'flip',
        samples: rows.filter((_, i) => kept[i]!.detailed),
        all: false,
        values: numbers(flip.filter((_, i) => kept[i]!.detailed).flat()),
        flags: flags(probabilityFlags.filter((_, i) => kept[i]!.detailed).flat()),
      },
    ],
    effects: { samples: rows, columns, values: numbers(effects) },
    details: json(details),
    maps: [],
  };
}

// ---- a lens study of the same samples ----

const noValues = { measures: [], flows: [], curves: [], baselines: [], runs: [], values: [], effects: null };

function makeLens(trace: Study): Study {
  state = 12345;
  const samples = Array.from({ length: nSamples }, (_, i) => makeSample(i));
  const names = [
    'Noncapitalized Answer',
    'Noncapitalized False Option',
    'Capitalized Answer',
    'Capitalized False Option',
  ];
  const lens: LensCurve[] = [];
  for (const task of [...tasks, null])
    names.forEach((line, k) => {
      if (task === 'QueryAttr' && line.includes('Option')) return;
      const layer = Array.from({ length: nLayers + 1 }, (_, l) => l);
      const mean = layer.map((l) => (l < 6 ? 0 : ((l - 5) / 7) ** 2 * [20, 5, 70, 4][k]!));
      lens.push({
        task,
        flow: null,
        style: null,
        window: 0,
        centre: 0,
        line,
        colour: colours[k]!,
        layer,
        n: layer.map(() => (task === null ? 30 : 15)),
        mean,
        low: mean.map((m) => m * 0.9),
        high: mean.map((m) => m * 1.1),
      });
    });
  const details: Detail[] = samples
    .filter((s) => s.detailed)
    .map((s) => ({
      sample: s.index,
      answers: [],
      lens: Array.from({ length: nLayers + 1 }, (_, layer): LensEntry => {
        const rise = layer < 6 ? 1e-5 : ((layer - 5) / 7) ** 2;
        const option = s.falseOption !== '';
        return {
          layer,
          answer: 0.2 * rise,
          answerUpper: 0.7 * rise,
          option: option ? 0.05 * rise : null,
          optionUpper: option ? 0.04 * rise : null,
          words:
            layer < 6
              ? ['▁the', '<0x0A>', '</script>', '▁of', '&amp;']
              : ['▁Blue', '▁blue', '▁Orange', '▁orange', '▁Red'],
          scores: [0.7 * rise, 0.2 * rise, 0.05 * rise, 0.04 * rise, 0.001],
        };
      }),
    }));
  return {
    ...noValues,
    name: 'lens.db',
    kind: 'lens',
    model: 0,
    facts: [
      { key: 'study', value: 'lens', identity: true },
      { key: 'lens', value: 'norm on the last entry, top 50, last position', identity: true },
    ],
    counts: { ...trace.counts, emptyGroup: 0, fullyCut: 0, lens: trace.counts.done },
    faults: trace.faults,
    tasks,
    nLayers,
    lens,
    samples: json(samples),
    nSamples,
    details: json(details),
    maps: [],
  };
}

// ---- causal maps of two samples ----

function makeMaps(): Study {
  state = 12345;
  const samples = Array.from({ length: 4 }, (_, i) => makeSample(i));
  const maps: CausalMap[] = [];
  for (const s of [samples[0]!, samples[3]!]) {
    const columns = s.grids.flatMap((g) =>
      Array.from({ length: g.rows * g.columns }, (_, i) => [
        g.at + Math.floor(i / g.columns) * (g.columns + g.newline) + (i % g.columns),
      ]),
    );
    const inObject = (p: number): boolean => s.groups['Image Central Object']!.some(([a, b]) => p >= a && p < b);
    const frames = Array.from({ length: nLayers }, (_, l) => l);
    const [qa, qb] = s.groups['Question']![0]!;
    const rows = Array.from({ length: qb - qa }, (_, i) => qa + i);
    const p1 = s.probability!;
    const value = (layer: number, column: number[]): number =>
      p1 * (1 - (inObject(column[0]!) ? 0.5 : 0.05) * Math.exp(-(((layer - 4) / 2) ** 2)) * random());
    maps.push({
      kind: 'patches',
      sample: s.index,
      title: 'Image->Question',
      measure: 'probability',
      baseline: p1,
      frames,
      window: 3,
      rows: [],
      columns,
      values: numbers(frames.flatMap((l) => columns.map((c) => value(l, c)))),
    });
    maps.push({
      kind: 'token-patches',
      sample: s.index,
      title: 'Image->Question',
      measure: 'probability',
      baseline: p1,
      frames,
      window: 3,
      rows,
      columns,
      values: numbers(frames.flatMap((l) => rows.flatMap(() => columns.map((c) => value(l, c))))),
    });
    maps.push({
      kind: 'heads',
      sample: s.index,
      title: 'Image->Question',
      measure: 'probability',
      baseline: p1,
      frames: [],
      window: 1,
      rows: frames,
      columns: Array.from({ length: 8 }, (_, h) => [h]),
      values: numbers(
        frames.flatMap((l) =>
          Array.from({ length: 8 }, (_, h) => p1 * (1 - 0.3 * (h === 2 ? 1 : 0.1) * Math.exp(-(((l - 4) / 2) ** 2)))),
        ),
      ),
    });
  }
  return {
    ...noValues,
    measures: [measures[0]!],
    name: "map <1> & 'co'.db",
    kind: 'map',
    model: 0,
    facts: [{ key: 'study', value: 'map', identity: true }],
    counts: { done: 4, wrong: 0, fault: 0, emptyGroup: 0, noVisibleEdge: 0, fullyCut: 0, tooFewKeys: 0, lens: 0 },
    faults: [],
    tasks: ['ChooseAttr'],
    nLayers,
    lens: [],
    samples: json(samples),
    nSamples: samples.length,
    details: json<Detail[]>([]),
    maps,
  };
}

const trace = makeTrace();
const page: Page = {
  format: 1,
  crossflow: '0.1.0',
  title: 'study.db, lens.db',
  models: [{ name: 'demo/model', checkpoint: '6259c44e698d85243218fd06a564a5a0' }],
  studies: [trace, makeLens(trace), makeMaps()],
  pictures,
  notes: ['3 pictures could not be read: images/000031.jpg: no such file'],
};
writeFileSync(
  fileURLToPath(new URL('sample-data.json', import.meta.url)),
  JSON.stringify({ page, blobs }, null, 1) + '\n',
);
