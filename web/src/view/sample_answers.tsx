/* sample_answers.tsx - what the model says when edges are cut, where the study let it speak. */
import { useReport } from '../report';
import { flowName } from '../format';
import { windowKey } from '../study/figure';
import { useLoaded, valueOf } from './hooks';
import { Table, type Column } from './table';
import type { Sample } from '../data';

interface Row {
  flow: string;
  window: string;
  layer: number;
  text: string;
}

const columns: Column<Row>[] = [
  { head: 'flow', cell: (r) => r.flow, show: (r) => flowName(r.flow) },
  { head: 'window', cell: (r) => r.window },
  { head: 'layer', cell: (r) => r.layer, number: true },
  { head: 'answer', cell: (r) => r.text },
];

export function Answers(props: { study: number; sample: Sample }) {
  const report = useReport();
  const study = report.study(props.study);
  const details = valueOf(useLoaded(`details ${props.study}`, () => report.details(props.study)));
  const answers = details?.get(props.sample.index)?.answers ?? [];
  if (answers.length === 0) return null;
  const rows = answers.map(({ run, text }): Row => {
    const r = study.runs[run]!;
    return { flow: study.flows[r.flow]!.text, window: windowKey(r), layer: r.centre, text };
  });
  return (
    <section>
      <h2>What it says instead</h2>
      <Table
        name={`answers ${props.sample.questionId}`}
        columns={columns}
        rows={rows}
        caption={`Decoded greedily with the cut in place. Nothing cut: “${props.sample.predicted}”.`}
      />
    </section>
  );
}
