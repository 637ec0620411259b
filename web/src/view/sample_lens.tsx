/* sample_lens.tsx - the lens of one sample: the most probable tokens after each layer; the last row's are the model's own. */
import { useReport, type Report } from '../report';
import { probability } from '../format';
import { pair } from '../palette';
import { useLoaded, valueOf } from './hooks';
import { Table, type Column } from './table';
import { TokenText } from './sample_tokens';
import type { LensEntry, Sample } from '../data';

const SHOWN = 5;

/** Of this study, or of the first study of the model that has read this question. */
async function lensOf(report: Report, study: number, sample: Sample): Promise<LensEntry[]> {
  for (const s of report.siblings(study)) {
    if (report.study(s).details.n === 0) continue;
    const index =
      s === study
        ? sample.index
        : (await report.samples(s)).find((other) => other.task === sample.task && other.row === sample.row)?.index;
    const lens = index === undefined ? undefined : (await report.details(s)).get(index)?.lens;
    if (lens !== undefined && lens.length > 0) return lens;
  }
  return [];
}

function Words(props: { entry: LensEntry; sample: Sample }) {
  return (
    <span class="lens-words">
      {props.entry.words.slice(0, SHOWN).map((word, i) => (
        <span
          class={word === props.sample.firstTokenText ? 'lens-word said' : 'lens-word'}
          style={{ '--score': String(props.entry.scores[i] ?? 0), '--group': pair('#0072b2') }}
          title={`${word}: ${probability(props.entry.scores[i])}`}
        >
          <TokenText stored={word} />
        </span>
      ))}
    </span>
  );
}

export function SampleLens(props: { study: number; sample: Sample }) {
  const report = useReport();
  const { sample } = props;
  const key = `lens ${props.study} ${sample.index}`;
  const lens = valueOf(useLoaded(key, () => lensOf(report, props.study, sample))) ?? [];
  const last = lens[lens.length - 1];
  if (last === undefined) return null;
  const options = lens.some((e) => e.option !== null || e.optionUpper !== null);
  const column = (head: string, cell: (e: LensEntry) => number | null): Column<LensEntry> => ({
    head,
    cell,
    show: (e) => probability(cell(e)),
    number: true,
  });
  const columns: Column<LensEntry>[] = [
    { head: 'entry', cell: (e) => e.layer, number: true },
    column('answer', (e) => e.answer),
    column('Answer', (e) => e.answerUpper),
    ...(options ? [column('false option', (e) => e.option), column('False option', (e) => e.optionUpper)] : []),
    { head: 'most probable', cell: (e) => e.words.join(' '), show: (e) => <Words entry={e} sample={sample} /> },
  ];
  return (
    <section class="sample-lens">
      <h2>What it would say after each layer</h2>
      <Table
        name={`lens ${sample.questionId}`}
        columns={columns}
        rows={lens}
        caption={`The last position read with the output embedding: entry 0 is the embedding, entry e stands after layer e − 1; the last row is the model’s own distribution, its ${last.words.length} most probable tokens are in the file.`}
      />
    </section>
  );
}
