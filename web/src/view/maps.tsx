/* maps.tsx - causal maps: which one, and the view for its kind. */
import { firstMap, useReport } from '../report';
import { flowName, MAP_KINDS, MEASURE_NAMES, number } from '../format';
import { studyLabel } from '../study/figure';
import { HeadMap } from './map_heads';
import { PatchMap } from './map_patches';
import { useLoaded } from './hooks';
import { Menu, Pending } from './parts';
import type { CausalMap, Sample } from '../data';

export function Maps() {
  const report = useReport();
  const { study, map } = report.place.value;
  const maps = report.study(study).maps;
  const at = Math.min(map, maps.length - 1);
  const loaded = useLoaded(`map ${study} ${at}`, async () => {
    const [heat, samples] = await Promise.all([report.heat(study, at), report.samples(study)]);
    return { heat, sample: samples[heat.map.sample] };
  });
  const samples = useLoaded(`samples ${study}`, () => report.samples(study));
  if (maps.length === 0) return <p class="nothing">This study has no causal maps.</p>;
  const causal = maps[at]!;
  return (
    <div class="maps">
      {samples.state === 'done' && <Selector study={study} map={at} samples={samples.value} />}
      {loaded.state !== 'done' ? (
        <Pending loaded={loaded} />
      ) : loaded.value.sample === undefined ? (
        <p class="failure">The page does not hold the sample of this map.</p>
      ) : (
        <article aria-label="Causal map">
          <Head study={study} map={causal} sample={loaded.value.sample} />
          {causal.kind === 'heads' ? (
            <HeadMap key={at} study={study} heat={loaded.value.heat} />
          ) : (
            <PatchMap key={at} study={study} heat={loaded.value.heat} sample={loaded.value.sample} />
          )}
        </article>
      )}
    </div>
  );
}

function Head(props: { study: number; map: CausalMap; sample: Sample }) {
  const report = useReport();
  const { map, sample } = props;
  return (
    <div class="map-head">
      <p class="eyebrow">
        {sample.task} · row {sample.row} · {sample.questionId} · {flowName(map.title)} · {MAP_KINDS[map.kind]}
        {map.window > 0 && ` · window ${map.window}`}
      </p>
      <h1 class="question">
        <a class="quiet" href={report.href({ view: 'samples', study: props.study, sample: sample.index })}>
          {sample.question}
        </a>
      </h1>
      <p class="map-answer">
        Answers <b>{sample.predicted}</b>
        {map.baseline !== null &&
          `; ${MEASURE_NAMES[map.measure] ?? map.measure} with nothing cut: ${number(map.baseline, 4)}`}
      </p>
    </div>
  );
}

const alike = (a: CausalMap, b: CausalMap): boolean =>
  a.kind === b.kind && a.title === b.title && a.measure === b.measure;

/** Questions that have maps, and the maps of the chosen one. */
function Selector(props: { study: number; map: number; samples: readonly Sample[] }) {
  const report = useReport();
  const { study, map, samples } = props;
  const { maps } = report.study(study);
  const chosen = maps[map]!.sample;
  const questions = [...new Set(maps.map((m) => m.sample))];
  const studies = report.page.studies.flatMap((s, i) => (s.maps.length > 0 ? [i] : []));
  const toSample = (value: string): void => {
    const wanted = maps[map]!;
    const ofSample = maps.flatMap((m, i) => (m.sample === Number(value) ? [i] : []));
    const same = ofSample.find((i) => alike(maps[i]!, wanted));
    report.go({ view: 'maps', study, map: same ?? ofSample[0] ?? 0 });
  };
  return (
    <div class="row options map-selector">
      {studies.length > 1 && (
        <Menu
          label="Study"
          value={String(study)}
          options={studies.map((i) => ({ value: String(i), label: studyLabel(report.page, i) }))}
          onChange={(value) =>
            report.go({ view: 'maps', study: Number(value), map: firstMap(report.study(Number(value)).maps) })
          }
        />
      )}
      <Menu
        label="Question"
        value={String(chosen)}
        options={questions.map((s) => ({ value: String(s), label: samples[s]?.question ?? String(s) }))}
        onChange={toSample}
      />
      <Menu
        label="Map"
        value={String(map)}
        options={maps.flatMap((m, i) =>
          m.sample === chosen
            ? [
                {
                  value: String(i),
                  label: `${flowName(m.title)}: ${MAP_KINDS[m.kind]}; ${MEASURE_NAMES[m.measure] ?? m.measure}`,
                },
              ]
            : [],
        )}
        onChange={(value) => report.go({ view: 'maps', study, map: Number(value) })}
      />
    </div>
  );
}
