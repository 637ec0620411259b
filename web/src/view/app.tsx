/* app.tsx - the frame of the page: title, the three views, licences. */
import licences from 'licences';
import { useReport, type View } from '../report';
import { count, plural } from '../format';
import { Maps } from './maps';
import { Overview } from './overview';
import { Samples } from './samples';
import { ThemeSwitch } from './theme';

const NAMES: Record<View, string> = { overview: 'Overview', samples: 'Samples', maps: 'Causal maps' };

function Header() {
  const report = useReport();
  const { page } = report;
  const numbers: Record<View, number> = {
    overview: 0,
    samples: Math.max(0, ...page.studies.map((s) => s.nSamples)),
    maps: page.studies.reduce((n, s) => n + s.maps.length, 0),
  };
  const { view } = report.place.value;
  return (
    <header class="page-head">
      <a class="skip" href="#report-content" onClick={skip}>
        Skip to the content
      </a>
      <span class="wordmark">crossflow</span>
      <nav aria-label="Views">
        {(['overview', 'samples', 'maps'] as const)
          .filter((v) => v === 'overview' || numbers[v] > 0)
          .map((v) => (
            <a key={v} href={report.viewHref(v)} aria-current={v === view ? 'page' : undefined}>
              {NAMES[v]}
              {numbers[v] > 0 && <span class="count">{count(numbers[v])}</span>}
            </a>
          ))}
      </nav>
      <ThemeSwitch />
    </header>
  );
}

/** The address behind "#" is the reader's place: a jump must not change it. */
function skip(event: Event): void {
  event.preventDefault();
  document.getElementById('report-content')?.focus();
}

function Footer() {
  const { page } = useReport();
  return (
    <footer class="page-foot">
      <p>
        Written by crossflow {page.crossflow}, {plural(page.studies.length, 'study', 'studies')}. Everything is inside
        this file; it makes no request.
      </p>
      <details>
        <summary>Licences of what this page is built with</summary>
        <pre>{licences}</pre>
      </details>
    </footer>
  );
}

export function App() {
  const { view } = useReport().place.value;
  return (
    <>
      <Header />
      <div id="report-content" tabIndex={-1}>
        {view === 'overview' && <Overview />}
        {view === 'samples' && <Samples />}
        {view === 'maps' && <Maps />}
      </div>
      <Footer />
    </>
  );
}
