/* figure.ts - which curves a figure shows: the curves of the page that a reader has chosen, laid out in panels.
 *
 * A curve has four coordinates besides its layers: study, task, flow, window. One of them is laid out in panels; colour tells
 * flows apart, dashes (and, where the panels are flows, colour too) everything else. Nothing is computed here but the
 * layout: every number is the program's. */
import { flowName, windowName } from '../format';
import { VARIANTS } from '../palette';
import type { Curve, Measure, MeasureName, Page, Study } from '../data';

export type PanelsBy = 'task' | 'flow' | 'window' | 'study';

/** What is chosen; sets hold keys as the functions below make them. */
export interface Choice {
  studies: ReadonlySet<number>;
  tasks: ReadonlySet<string>;
  flows: ReadonlySet<string>;
  windows: ReadonlySet<string>;
  measure: MeasureName;
  absolute: boolean;
  panels: PanelsBy;
}

export const ALL_TASKS = 'all tasks';

export const taskKey = (task: string | null): string => task ?? ALL_TASKS;
export const windowKey = (c: { style: Curve['style']; window: number }): string => windowName(c.style, c.window);

/** One curve, ready to draw. Lists go together; y null: no number. */
export interface Line {
  /** The flow's name, with what else tells it apart in its panel. */
  label: string;
  colour: string;
  /** Index of a dash pattern. */
  dash: number;
  /** Index of a mark. */
  mark: number;
  x: number[];
  y: (number | null)[];
  low: (number | null)[];
  high: (number | null)[];
  n: number[];
}

export interface Panel {
  title: string;
  lines: Line[];
  /** With absolute values: the mean with nothing cut, where all lines of the panel share it. */
  reference: number | null;
}

export interface Placed {
  study: number;
  curve: Curve;
  flow: string;
  colour: string;
}

/** A study's file name, with its model's where that alone tells it apart. */
export function studyLabel(page: Page, index: number): string {
  const study = page.studies[index]!;
  const model = page.models[study.model]?.name.split('/').pop() ?? '';
  const sameModel = page.studies.filter((s) => s.model === study.model && s.kind === study.kind).length > 1;
  return sameModel || page.models.length === 1 ? study.name : `${model} · ${study.name}`;
}

/** Flow texts of all studies in their order, each once, with its colour. */
export function flowsOf(page: Page, studies: Iterable<number>): Map<string, string> {
  const flows = new Map<string, string>();
  for (const s of studies)
    for (const flow of page.studies[s]!.flows) if (!flows.has(flow.text)) flows.set(flow.text, flow.colour);
  return flows;
}

export function windowsOf(page: Page, studies: Iterable<number>): string[] {
  const keys = new Set<string>();
  for (const s of studies) for (const curve of page.studies[s]!.curves) keys.add(windowKey(curve));
  return [...keys];
}

/** Tasks in order; the one for all of them together last, where there are several. */
export function tasksOf(page: Page, studies: Iterable<number>): string[] {
  const keys = new Set<string>();
  let pooled = false;
  for (const s of studies) {
    for (const task of page.studies[s]!.tasks) keys.add(task);
    pooled ||=
      page.studies[s]!.curves.some((c) => c.task === null) || page.studies[s]!.lens.some((c) => c.task === null);
  }
  return pooled ? [...keys, ALL_TASKS] : [...keys];
}

export function measuresOf(page: Page, studies: Iterable<number>): Measure[] {
  const measures = new Map<MeasureName, Measure>();
  for (const s of studies)
    for (const measure of page.studies[s]!.measures)
      if (measure.comparison !== 'none') measures.set(measure.name, measure);
  return [...measures.values()];
}

/** The curves chosen, in the order of the studies. */
export function chosenCurves(page: Page, choice: Choice): Placed[] {
  const placed: Placed[] = [];
  for (const study of [...choice.studies].sort((a, b) => a - b)) {
    const { curves, flows } = page.studies[study]!;
    for (const curve of curves) {
      const flow = flows[curve.flow]!;
      if (
        curve.measure === choice.measure &&
        choice.tasks.has(taskKey(curve.task)) &&
        choice.flows.has(flow.text) &&
        choice.windows.has(windowKey(curve))
      )
        placed.push({ study, curve, flow: flow.text, colour: flow.colour });
    }
  }
  return placed;
}

/** A curve of one layer is no line: see `spotsOf`. */
export const isLine = ({ curve }: Placed): boolean => curve.style !== 'fixed' && curve.layer.length > 1;

/** What a curve is besides panel and flow: "window 3 · all tasks"; parts that are the same for all are left out. */
function variantOf(page: Page, p: Placed, by: PanelsBy, varies: ReadonlySet<PanelsBy>): string {
  const parts: string[] = [];
  if (by !== 'study' && varies.has('study')) parts.push(studyLabel(page, p.study));
  if (by !== 'task' && varies.has('task')) parts.push(taskKey(p.curve.task));
  if (by !== 'window' && varies.has('window')) parts.push(windowKey(p.curve));
  return parts.join(' · ');
}

/** Coordinates in which the curves differ. */
function varying(placed: readonly Placed[]): Set<PanelsBy> {
  const varies = new Set<PanelsBy>();
  const several = (key: (p: Placed) => unknown): boolean => new Set(placed.map(key)).size > 1;
  if (several((p) => p.study)) varies.add('study');
  if (several((p) => p.curve.task)) varies.add('task');
  if (several((p) => p.flow)) varies.add('flow');
  if (several((p) => windowKey(p.curve))) varies.add('window');
  return varies;
}

export function panelTitle(page: Page, p: Placed, by: PanelsBy): string {
  switch (by) {
    case 'task':
      return taskKey(p.curve.task);
    case 'flow':
      return flowName(p.flow);
    case 'window':
      return windowKey(p.curve);
    case 'study':
      return studyLabel(page, p.study);
  }
}

export interface Figure {
  panels: Panel[];
  /** Names of the dashes, in their order; one: nothing to tell apart. */
  variants: string[];
}

/** The baseline that all curves share, if they do. */
function referenceOf(page: Page, choice: Choice, placed: readonly Placed[]): number | null {
  const { study, curve } = placed[0]!;
  if (!choice.absolute || placed.some((p) => p.study !== study || p.curve.task !== curve.task)) return null;
  const found = page.studies[study]!.baselines.find((b) => b.task === curve.task && b.measure === choice.measure);
  return found?.mean ?? null;
}

/** The chosen curves in panels. Marks and colours follow the flow's place among all flows, whichever are shown. */
export function figureOf(page: Page, choice: Choice, flowOrder: readonly string[]): Figure {
  const placed = chosenCurves(page, choice).filter(isLine);
  const varies = varying(placed);
  const variants = [...new Set(placed.map((p) => variantOf(page, p, choice.panels, varies)))];
  const panels = new Map<string, Placed[]>();
  for (const p of placed) {
    const title = panelTitle(page, p, choice.panels);
    panels.set(title, [...(panels.get(title) ?? []), p]);
  }
  const lineOf = (p: Placed): Line => {
    const variant = variantOf(page, p, choice.panels, varies);
    const dash = variants.indexOf(variant);
    const sameFlow = choice.panels === 'flow';
    const name = [sameFlow ? '' : flowName(p.flow), variants.length > 1 ? variant : ''].filter((part) => part !== '');
    return {
      label: name.join(' · ') || flowName(p.flow),
      colour: sameFlow && variants.length > 1 ? VARIANTS[dash % VARIANTS.length]! : p.colour,
      dash,
      mark: flowOrder.indexOf(p.flow),
      x: p.curve.layer,
      y: choice.absolute ? p.curve.absolute : p.curve.mean,
      low: choice.absolute ? p.curve.absoluteLow : p.curve.low,
      high: choice.absolute ? p.curve.absoluteHigh : p.curve.high,
      n: p.curve.n,
    };
  };
  return {
    panels: [...panels].map(([title, inPanel]) => ({
      title,
      lines: inPanel.map(lineOf),
      reference: referenceOf(page, choice, inPanel),
    })),
    variants,
  };
}

/** One number with its interval: a curve that has one point only. */
export interface Spot {
  label: string;
  group: string;
  colour: string;
  y: number | null;
  low: number | null;
  high: number | null;
  n: number;
}

export function spotsOf(page: Page, choice: Choice): Spot[] {
  const placed = chosenCurves(page, choice).filter((p) => !isLine(p) && p.curve.layer.length > 0);
  const varies = varying(placed);
  return placed.map((p) => ({
    label: flowName(p.flow),
    group: [panelTitle(page, p, 'task'), variantOf(page, p, 'task', varies)].filter((part) => part !== '').join(' · '),
    colour: p.colour,
    y: (choice.absolute ? p.curve.absolute : p.curve.mean)[0]!,
    low: (choice.absolute ? p.curve.absoluteLow : p.curve.low)[0]!,
    high: (choice.absolute ? p.curve.absoluteHigh : p.curve.high)[0]!,
    n: p.curve.n[0]!,
  }));
}

export const hasCurves = (study: Study): boolean => study.curves.length > 0;

/** Where the overview opens: the first study, a panel a task, its first window, as many flows as can be told apart. */
export function firstChoice(page: Page): Choice {
  const study = page.studies.findIndex(hasCurves);
  const studies = new Set(study < 0 ? [] : [study]);
  const tasks = tasksOf(page, studies).filter((t) => t !== ALL_TASKS);
  return {
    studies,
    tasks: new Set(tasks),
    flows: new Set([...flowsOf(page, studies).keys()].slice(0, 8)),
    windows: new Set(windowsOf(page, studies).slice(0, 1)),
    measure: measuresOf(page, studies)[0]?.name ?? 'probability',
    absolute: false,
    panels: 'task',
  };
}
