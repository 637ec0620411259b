/* main.tsx - the page begins here: read what the file holds, show it, or say why it cannot be shown. */
import { render } from 'preact';
import { documentSource, readPage } from './data';
import { Report, ReportContext } from './report';
import { App } from './view/app';
import './css/fonts.css';
import './css/page.css';
import './css/figures.css';
import './css/samples.css';
import './css/print.css';

const host = document.getElementById('report') ?? document.body;
try {
  const report = new Report(readPage(document), documentSource(document));
  document.title = `${report.page.title} · crossflow`;
  host.replaceChildren();
  render(
    <ReportContext.Provider value={report}>
      <App />
    </ReportContext.Provider>,
    host,
  );
} catch (error) {
  const text = document.createElement('p');
  text.textContent = `This report could not be read: ${error instanceof Error ? error.message : String(error)}`;
  host.replaceChildren(text);
}
