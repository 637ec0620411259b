// Type-checked lint, and the rule that nothing of a study becomes markup: text is only ever a text node.
import tseslint from 'typescript-eslint';

const MARKUP = 'Text of a study must never be parsed as markup: use a text node.';
const REQUEST = 'The page makes no request.';

export default tseslint.config(
  { ignores: ['dist', 'node_modules'] },
  ...tseslint.configs.strictTypeChecked,
  {
    files: ['**/*.ts', '**/*.tsx'],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      // Indices that a loop has just bounded; the alternative is a default that hides a mistake.
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      'no-restricted-properties': [
        'error',
        ...['innerHTML', 'outerHTML', 'insertAdjacentHTML', 'setHTMLUnsafe', 'createContextualFragment'].map(
          (property) => ({ property, message: MARKUP }),
        ),
        { object: 'document', property: 'write', message: MARKUP },
        { object: 'document', property: 'writeln', message: MARKUP },
      ],
      'no-restricted-globals': [
        'error',
        { name: 'DOMParser', message: MARKUP },
        ...['fetch', 'XMLHttpRequest', 'WebSocket', 'EventSource'].map((name) => ({ name, message: REQUEST })),
      ],
      'no-restricted-syntax': [
        'error',
        { selector: 'JSXAttribute[name.name=/^(dangerouslySetInnerHTML|srcdoc)$/]', message: MARKUP },
        { selector: "Property[key.name='dangerouslySetInnerHTML']", message: MARKUP },
        { selector: "Property[key.value='dangerouslySetInnerHTML']", message: MARKUP },
      ],
    },
  },
  {
    // node:test's test() returns a promise that the runner awaits; what a test reads out of a page is not shown to anybody.
    files: ['test/**'],
    rules: {
      '@typescript-eslint/no-floating-promises': 'off',
      'no-restricted-properties': 'off',
      'no-restricted-globals': 'off',
    },
  },
  { files: ['**/*.js'], ...tseslint.configs.disableTypeChecked },
);
