/* data.ts - what a page holds: the JSON that `crossflow report` writes (src/report/page_*.c), and how it is read.
 *
 * The page has one element <script type="application/json" id="page-data"> with a `Page`, and for big things elements
 * <script type="application/octet-stream;base64" id="blob-N">: base64 of a zlib stream (RFC 1950). Texts come from
 * question files and models: they are data, to be shown with textContent only.
 *
 * Numbers are those of the study file, to the last bit: 64-bit floats, printed so that they read back as they were.
 * `null` in JSON and NaN in a blob say "no number". Layers, positions, rows and heads count from 0. */

/** What is measured. How a value is compared with the baseline's is in `Comparison`. */
export type MeasureName = 'probability' | 'true' | 'whole' | 'difference' | 'rank' | 'flip' | 'top';

/** relative: 100 (v2 - v1) / v1; difference: v2 - v1; share: 100 v2; none: no curve. */
export type Comparison = 'relative' | 'difference' | 'share' | 'none';

/** One big thing, kept outside of the JSON. n: how many numbers, or bytes of text. */
export interface Blob_<Kind extends 'f64' | 'u8' | 'json'> {
  id: string;
  kind: Kind;
  n: number;
}
export type NumbersBlob = Blob_<'f64'>;
export type BytesBlob = Blob_<'u8'>;
/** T: what the text parses to. */
export interface JsonBlob<T> extends Blob_<'json'> {
  readonly of?: T;
}

export interface Page {
  format: 1;
  /** Version of the program that wrote the page. */
  crossflow: string;
  title: string;
  models: Model[];
  /** In the order of the command line. */
  studies: Study[];
  /** Downsized, each once, however many samples ask about it. */
  pictures: Picture[];
  /** What a reader should know of the page itself: pictures that could not be read, values that were left out. */
  notes: string[];
}

/** Studies of one checkpoint share a model. */
export interface Model {
  /** Its folder or hub name, as the study has it. */
  name: string;
  checkpoint: string;
}

/** Of the original: width and height are its pixels, not those of the downsized copy. */
export interface Picture {
  /** File name, without a folder. */
  name: string;
  width: number;
  height: number;
  /** "data:image/jpeg;base64,..." or png. */
  uri: string;
}

export interface Study {
  /** File name, without a folder. Unique on the page. */
  name: string;
  kind: 'trace' | 'lens' | 'map';
  /** Index into Page.models. */
  model: number;
  facts: Fact[];
  counts: Counts;
  /** Faults of rows, by reason, the commonest first. */
  faults: { reason: string; n: number }[];
  /** Of kept samples, in the order of the file. */
  tasks: string[];
  /** Layers of the model, as far as the study shows them. */
  nLayers: number;
  /** Those that the study has values of. Without runs: none. */
  measures: Measure[];
  /** What is done, in the order of the study. */
  flows: Flow[];
  /** Means over the kept samples, by (task, flow, style, window, measure). */
  curves: Curve[];
  /** Of the kept samples, nothing done, by (task, measure): what absolute curves are compared with. */
  baselines: BaselineMean[];
  /** The lens of kept samples at the last position. */
  lens: LensCurve[];
  /** The columns of `values`, in this order. */
  runs: Run[];
  /** Every sample of the study in the order of task and row: Sample.index is its place. */
  samples: JsonBlob<Sample[]>;
  nSamples: number;
  values: ValueBlock[];
  effects: Effects | null;
  /** What is shown of chosen samples only. */
  details: JsonBlob<Detail[]>;
  maps: CausalMap[];
}

/** identity: it decides numbers; otherwise provenance. */
export interface Fact {
  key: string;
  value: string;
  identity: boolean;
}

/** Samples by status; then values of the probability (runs on samples) by flag; then samples with lens entries. */
export interface Counts {
  done: number;
  wrong: number;
  fault: number;
  emptyGroup: number;
  noVisibleEdge: number;
  fullyCut: number;
  tooFewKeys: number;
  lens: number;
}

export interface Measure {
  name: MeasureName;
  /** Axis of a curve of changes: "change of the answer's probability (%)". */
  label: string;
  /** Axis of absolute values: "the answer's probability". */
  absoluteLabel: string;
  comparison: Comparison;
}

export interface Flow {
  /** Canonical text, with the seed where it is random: "Image->Question". */
  text: string;
  mode: string;
  /** "#rrggbb": the colour it has in the figures. */
  colour: string;
}

/** style "centre" and "outside" have a window k > 0; "below" and "above" have 0; "fixed" has no layers either. */
export type WindowStyle = 'centre' | 'below' | 'above' | 'outside' | 'fixed';

/** Lists go together: one entry a point. */
export interface Curve {
  /** null: all tasks together (where there are several). */
  task: string | null;
  /** Index into Study.flows. */
  flow: number;
  style: WindowStyle;
  window: number;
  measure: MeasureName;
  /** Centre of the window; 0 where the style is "fixed". */
  layer: number[];
  /** Samples in the mean. */
  n: number[];
  /** Of them with an empty group: their value is the baseline's. */
  nEmpty: number[];
  /** Kept samples without a number here (fully cut, too few keys): not in n. */
  nWithout: number[];
  /** Of the change, in the unit of Measure.label; low and high: 95 %, mean -+ 1.96 standard errors. */
  mean: (number | null)[];
  low: (number | null)[];
  high: (number | null)[];
  /** 95 % interval of the mean by bootstrap. */
  bootLow: (number | null)[];
  bootHigh: (number | null)[];
  median: (number | null)[];
  /** Wilcoxon signed-rank test against no change, and its effect size. */
  p: (number | null)[];
  r: (number | null)[];
  /** Of the value itself, likewise with low and high. */
  absolute: (number | null)[];
  absoluteLow: (number | null)[];
  absoluteHigh: (number | null)[];
  /** Indices into Study.runs of the point's runs: several where a random control is repeated. */
  runs: number[][];
}

export interface BaselineMean {
  task: string | null;
  measure: MeasureName;
  n: number;
  mean: number | null;
  low: number | null;
  high: number | null;
}

export interface LensCurve {
  task: string | null;
  /** Index into Study.flows; null: nothing is cut. */
  flow: number | null;
  style: WindowStyle | null;
  window: number;
  centre: number;
  /** "Noncapitalized Answer", ... */
  line: string;
  colour: string;
  /** 0: embeddings; l: output of layer l - 1. */
  layer: number[];
  n: number[];
  /** Probability in %. */
  mean: (number | null)[];
  low: (number | null)[];
  high: (number | null)[];
}

export interface Run {
  /** Index into Study.flows. */
  flow: number;
  /** "all", or a set: "0+2". */
  heads: string;
  repeat: number;
  style: WindowStyle;
  window: number;
  centre: number;
  /** "3:6", "0:2+5:12", "". */
  layers: string;
}

export interface Sample {
  /** Place in Study.samples. */
  index: number;
  task: string;
  /** In its question file. (task, row) names the question in every study. */
  row: number;
  questionId: string;
  image: string;
  question: string;
  answer: string;
  trueOption: string;
  falseOption: string;
  /** Names of its objects, comma separated. */
  object: string;
  status: 'done' | 'wrong' | 'fault';
  /** Of a fault; otherwise "". */
  reason: string;
  /** The model's greedy answer. */
  predicted: string;
  firstToken: number;
  firstTokenText: string;
  /** p1; null where a fault came before it. */
  probability: number | null;
  /** Of the other measures, nothing done. */
  baselines: Partial<Record<MeasureName, number | null>>;
  /** Prompt length, the picture's positions included. */
  nTokens: number;
  /** Texts of the prompt's tokens as the vocabulary writes them ("▁the", "Ġthe", "<0x0A>"), position by position, with
   * one null for all of the picture's positions. [] where a fault came before it. */
  tokens: (string | null)[];
  /** Positions by group, as half-open spans: {"Image": [[4, 148]], "Question": [[150, 157]], ...}. */
  groups: Record<string, [number, number][]>;
  notes: string[];
  /** Of the picture, in pixels; 0 where a fault came before it. */
  pictureWidth: number;
  pictureHeight: number;
  /** Of the question's objects, in pixels of the picture. */
  boxes: Box[];
  /** Where the picture's positions lie: with anyres pictures the base tile first, then the high-resolution ones. */
  grids: PatchGrid[];
  /** Index into Page.pictures; null where it was not asked for, or could not be read. */
  picture: number | null;
  /** Whether Study.details has it. */
  detailed: boolean;
}

/** x + w and y + h are inside the box. */
export interface Box {
  name: string;
  x: number;
  y: number;
  w: number;
  h: number;
}

/** Patches in rows. Patch (row, column) covers, in pixels of the picture, from (x + column * dx, y + row * dy) on a
 * rectangle of dx times dy, which may reach over the picture's border (padding) and need not cover all of it (a crop).
 * Its position in the prompt is at + row * (columns + newline) + column; with newline = 1 a newline's position follows
 * each row. */
export interface PatchGrid {
  kind: 'base' | 'hd';
  at: number;
  rows: number;
  columns: number;
  newline: 0 | 1;
  x: number;
  y: number;
  dx: number;
  dy: number;
}

/** The values of one measure: row i, column j (row-major, samples.length times Study.runs.length numbers) is that of
 * sample samples[i] in run j. Where there are too many for a page, only chosen samples are in it. */
export interface ValueBlock {
  measure: MeasureName;
  /** Indices of samples, rising. */
  samples: number[];
  /** Whether these are all samples that have values. */
  all: boolean;
  values: NumbersBlob;
  /** 0 ok, 1 empty group, 2 no visible edge, 3 fully cut, 4 too few keys, 255 not in the study. */
  flags: BytesBlob;
}

/** For sorting and filtering: row i, column j is, for sample samples[i] and the curve of flow, style and window
 * columns[j], the change of the probability (%) that is the largest in size over the layers. */
export interface Effects {
  samples: number[];
  columns: { flow: number; style: WindowStyle; window: number }[];
  values: NumbersBlob;
}

export interface Detail {
  /** Sample.index. */
  sample: number;
  /** What the model says in a run (index into Study.runs), where that was generated. */
  answers: { run: number; text: string }[];
  /** The lens at the last position, nothing cut: one entry a layer. The last one's words are the model's top tokens. */
  lens: LensEntry[];
}

export interface LensEntry {
  layer: number;
  /** Probabilities of the answer's and the false option's first token, in lower case and capitalised. */
  answer: number | null;
  answerUpper: number | null;
  option: number | null;
  optionUpper: number | null;
  /** The top tokens, falling. */
  words: string[];
  scores: number[];
}

/** Values of one measure on one sample over two or three axes: frames x rows x columns, row-major.
 *   patches       frames: layers; one row; columns: sets of the picture's positions -> heat over the picture
 *   token-patches rows: positions of the question's tokens; columns as above; one frame, whose layers the title says
 *   heads         rows: layers; columns: heads; one frame -> a grid
 * NaN: no number, or a patch that the picture does not have (its column is empty). */
export interface CausalMap {
  kind: 'patches' | 'token-patches' | 'heads';
  /** Sample.index. */
  sample: number;
  title: string;
  measure: MeasureName;
  /** Of the measure, nothing done: the change is made of it as Measure.comparison says. */
  baseline: number | null;
  /** Layers (window centres) of the frames; [] where there is one frame without a layer: heads, token-patches. */
  frames: number[];
  /** Window size; 0 where there is none. */
  window: number;
  /** patches: []; token-patches: positions, -1 for a token that this question does not have; heads: layers. */
  rows: number[];
  /** patches and token-patches: the positions that a column stands for; heads: [head]. */
  columns: number[][];
  /** max(1, frames) * max(1, rows) * columns numbers: values, not changes. */
  values: NumbersBlob;
}

// ---- reading ----

/** Where the base64 text of a blob is found: the page itself, or a test's table. */
export type BlobSource = (id: string) => string;

export function documentSource(document: Document): BlobSource {
  return (id) => {
    const text = document.getElementById(id)?.textContent;
    if (text == null) throw new Error(`the page has no ${id}`);
    return text;
  };
}

export function readPage(document: Document): Page {
  const page = JSON.parse(documentSource(document)('page-data')) as { format: unknown };
  if (page.format !== 1) throw new Error(`expected a page of format 1, found ${String(page.format)}`);
  return page as Page;
}

async function readBytes(source: BlobSource, id: string): Promise<Uint8Array> {
  const text = atob(source(id).trim());
  const packed = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) packed[i] = text.charCodeAt(i);
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream('deflate'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Stored in planes: the lowest byte of every number, then the next of every number, ... which compresses better. */
export async function readNumbers(source: BlobSource, blob: NumbersBlob): Promise<Float64Array> {
  const planes = await readBytes(source, blob.id);
  if (planes.length !== blob.n * 8) throw new Error(`${blob.id}: expected ${blob.n} numbers`);
  const bytes = new Uint8Array(planes.length);
  for (let k = 0; k < 8; k++) for (let i = 0; i < blob.n; i++) bytes[i * 8 + k] = planes[k * blob.n + i] ?? 0;
  return new Float64Array(bytes.buffer); // every browser's machine is little-endian
}

export async function readFlags(source: BlobSource, blob: BytesBlob): Promise<Uint8Array> {
  const bytes = await readBytes(source, blob.id);
  if (bytes.length !== blob.n) throw new Error(`${blob.id}: expected ${blob.n} bytes`);
  return bytes;
}

export async function readJson<T>(source: BlobSource, blob: JsonBlob<T>): Promise<T> {
  return JSON.parse(new TextDecoder().decode(await readBytes(source, blob.id))) as T;
}
