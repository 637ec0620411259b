/* lens_figure.ts - the lens curves of a study in panels by task. */
import { flowName, windowName } from '../format';
import { taskKey, type Panel } from './figure';
import type { LensCurve, Study } from '../data';

/** What was cut while the lens read: "" nothing. */
export function lensCut(study: Study, curve: LensCurve): string {
  if (curve.flow === null || curve.style === null) return '';
  const flow = flowName(study.flows[curve.flow]?.text ?? '');
  return curve.style === 'fixed' ? flow : `${flow}, ${windowName(curve.style, curve.window)}, l = ${curve.centre}`;
}

/** Every cut of a study's lens, "" first where there is one without. */
export const lensCuts = (study: Study): string[] => [...new Set(study.lens.map((c) => lensCut(study, c)))];

export function lensPanels(study: Study, tasks: ReadonlySet<string>, cut: string): Panel[] {
  const panels = new Map<string, Panel>();
  const lines = [...new Set(study.lens.map((c) => c.line))];
  for (const curve of study.lens) {
    if (!tasks.has(taskKey(curve.task)) || lensCut(study, curve) !== cut) continue;
    const title = taskKey(curve.task);
    const panel = panels.get(title) ?? { title, lines: [], reference: null };
    panels.set(title, panel);
    panel.lines.push({
      label: curve.line,
      colour: curve.colour,
      dash: 0,
      mark: lines.indexOf(curve.line),
      x: curve.layer,
      y: curve.mean,
      low: curve.low,
      high: curve.high,
      n: curve.n,
    });
  }
  return [...panels.values()];
}
