/* sample.tsx - one sample: its picture, its prompt, its answer, and what each cut did to it. */
import { useState } from 'preact/hooks';
import { useReport, type Report } from '../report';
import { flowName, MAP_KINDS, probability } from '../format';
import { useLoaded, valueOf } from './hooks';
import { Answers } from './sample_answers';
import { SampleCurves } from './sample_curves';
import { SampleLens } from './sample_lens';
import { SamplePicture } from './sample_picture';
import { Tokens } from './sample_tokens';
import type { SampleState } from './sample_state';
import type { Sample } from '../data';

/** What the reader points at: a position of the prompt, or a group. */
export interface Focus {
  position: number | null;
  group: string | null;
}

const STATUS: Record<Sample['status'], string> = {
  done: 'kept',
  wrong: 'left out: not the answer of the data set',
  fault: 'fault',
};

export function SampleView(props: {
  study: number;
  sample: Sample;
  state: SampleState;
  onPrevious: (() => void) | undefined;
  onNext: (() => void) | undefined;
  place: string;
}) {
  const { sample: s } = props;
  const [focus, setFocus] = useState<Focus>({ position: null, group: null });
  return (
    <article class="sample" aria-label={`Sample ${s.questionId}`}>
      <div class="sample-head">
        <p class="eyebrow">
          {s.task} · row {s.row} · {s.questionId} · <span class={`status ${s.status}`}>{STATUS[s.status]}</span>
        </p>
        <span class="steps" role="group" aria-label="Samples">
          <button type="button" disabled={!props.onPrevious} onClick={props.onPrevious} title="Previous sample (k)">
            ← Previous
          </button>
          <span class="place">{props.place}</span>
          <button type="button" disabled={!props.onNext} onClick={props.onNext} title="Next sample (j)">
            Next →
          </button>
        </span>
      </div>
      <h1 class="question">{s.question}</h1>
      {s.status === 'fault' ? (
        <p class="failure">{s.reason}</p>
      ) : (
        <>
          <AnswerLine sample={s} />
          <div class="sample-top">
            <SamplePicture study={props.study} sample={s} state={props.state} focus={focus} setFocus={setFocus} />
            <Tokens sample={s} focus={focus} setFocus={setFocus} />
          </div>
          <SampleCurves study={props.study} sample={s} state={props.state} />
          <Answers study={props.study} sample={s} />
          <SampleLens study={props.study} sample={s} />
          <MapLinks study={props.study} sample={s} />
          {s.notes.length > 0 && (
            <ul class="notes">
              {s.notes.map((note) => (
                <li>{note}</li>
              ))}
            </ul>
          )}
        </>
      )}
    </article>
  );
}

function AnswerLine(props: { sample: Sample }) {
  const s = props.sample;
  const options = [s.trueOption, s.falseOption].filter((o) => o !== '');
  return (
    <dl class="answer-line">
      <div>
        <dt>answers</dt>
        <dd class="said">{s.predicted}</dd>
      </div>
      <div>
        <dt>data set’s answer</dt>
        <dd>{s.answer}</dd>
      </div>
      <div>
        <dt>p₁ of “{s.firstTokenText.replace(/^[▁Ġ]/, '')}”</dt>
        <dd>{probability(s.probability)}</dd>
      </div>
      {options.length > 0 && (
        <div>
          <dt>options</dt>
          <dd>{options.join(' / ')}</dd>
        </div>
      )}
      {s.object !== '' && (
        <div>
          <dt>object</dt>
          <dd>{s.object}</dd>
        </div>
      )}
      <div>
        <dt>prompt</dt>
        <dd>{s.nTokens} positions</dd>
      </div>
    </dl>
  );
}

interface MapLink {
  study: number;
  map: number;
  title: string;
}

/** Causal maps of this question, in whichever study of the model they are. */
async function mapsOf(report: Report, study: number, sample: Sample): Promise<MapLink[]> {
  const links: MapLink[] = [];
  for (const s of report.siblings(study).filter((i) => report.study(i).maps.length > 0)) {
    const samples = await report.samples(s);
    report.study(s).maps.forEach((m, map) => {
      const of = samples[m.sample];
      if (of?.task === sample.task && of.row === sample.row)
        links.push({ study: s, map, title: `${flowName(m.title)}: ${MAP_KINDS[m.kind]}` });
    });
  }
  return links;
}

function MapLinks(props: { study: number; sample: Sample }) {
  const report = useReport();
  const { study, sample } = props;
  const links = valueOf(useLoaded(`maps of ${study} ${sample.index}`, () => mapsOf(report, study, sample))) ?? [];
  if (links.length === 0) return null;
  return (
    <section class="map-links">
      <h2>Causal maps of this question</h2>
      <ul>
        {links.map((m) => (
          <li key={`${m.study} ${m.map}`}>
            <a href={report.href({ view: 'maps', study: m.study, map: m.map })}>{m.title}</a>
          </li>
        ))}
      </ul>
    </section>
  );
}
