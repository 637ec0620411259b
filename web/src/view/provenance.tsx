/* provenance.tsx - what each study is: the facts that decide its numbers, and those that say how they were made. */
import { useReport } from '../report';
import { Table, type Column } from './table';
import type { Fact, Study } from '../data';

const columns: Column<Fact>[] = [
  { head: 'fact', cell: (f) => f.key },
  { head: 'value', cell: (f) => f.value },
  { head: 'role', cell: (f) => (f.identity ? 'decides numbers' : 'provenance') },
];

function Facts(props: { study: Study }) {
  const { study } = props;
  const facts = [...study.facts.filter((f) => f.identity), ...study.facts.filter((f) => !f.identity)];
  return (
    <details>
      <summary>
        {study.name} <span class="count">{study.facts.length} facts</span>
      </summary>
      <Table
        name={`facts ${study.name}`}
        columns={columns}
        rows={facts}
        caption="A fact that decides numbers is part of the study’s identity: a study is only ever continued with the same."
      />
    </details>
  );
}

export function Provenance() {
  const { page } = useReport();
  return (
    <section class="provenance" aria-labelledby="provenance-title">
      <h2 id="provenance-title">Provenance</h2>
      {page.studies.map((s) => (
        <Facts key={s.name} study={s} />
      ))}
    </section>
  );
}
