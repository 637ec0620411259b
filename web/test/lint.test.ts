/* The rule that no text of a study becomes markup is one that can fail. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ESLint } from 'eslint';

const bad: [string, string][] = [
  ['assigned markup', 'export const f = (e: HTMLElement, t: string): void => void (e.innerHTML = t);'],
  ['inserted markup', "export const f = (e: HTMLElement, t: string): void => e.insertAdjacentHTML('beforeend', t);"],
  ['parsed markup', "export const f = (t: string): Document => new DOMParser().parseFromString(t, 'text/html');"],
  ['a component’s markup', 'export const f = (t: string) => <p dangerouslySetInnerHTML={{ __html: t }} />;'],
  ['a component’s markup by name', 'export const p = (t: string) => ({ dangerouslySetInnerHTML: { __html: t } });'],
  ['a request', "export const f = (): Promise<Response> => fetch('https://example.org');"],
];

test('the linter refuses every way from text to markup, and every request', async () => {
  const eslint = new ESLint({ cwd: fileURLToPath(new URL('..', import.meta.url)) });
  for (const [name, code] of bad) {
    const [result] = await eslint.lintText(code, { filePath: 'src/view/app.tsx' });
    const rules = result!.messages.map((m) => m.ruleId ?? '');
    assert.ok(
      rules.some((rule) => rule.startsWith('no-restricted-')),
      `${name}: ${rules.join()}`,
    );
  }
});
