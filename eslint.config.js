import { defineConfig } from 'eslint/config'
import vue from 'eslint-plugin-vue'
import tseslint from 'typescript-eslint'
import { layersRule } from './eslint.layers.js'

const NO_NODE = ['process', 'Buffer', 'require', 'global', '__dirname', '__filename']
const NO_WINDOW = ['window', 'document', 'localStorage', 'navigator']

export default defineConfig(
  { ignores: ['node_modules', 'out', 'out.*', 'dist', 'tests/fixtures', 'resources', 'shared'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  tseslint.configs.recommended,
  vue.configs['flat/essential'],
  {
    files: ['**/*.vue'],
    languageOptions: { parserOptions: { parser: tseslint.parser } },
    rules: { 'vue/no-unused-refs': 'error', 'vue/block-lang': ['error', { script: { lang: 'ts' } }] },
  },
  {
    files: ['**/*.{ts,vue}'],
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-non-null-assertion': 'off',
      // TypeScript knows every name, also in templates.
      'no-undef': 'off',
    },
  },
  {
    files: ['**/*.{js,mjs,cjs,ts,vue}'],
    rules: {
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-unused-vars': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true }],
      'prefer-const': 'error',
      'max-lines-per-function': ['warn', { max: 60, skipBlankLines: true, skipComments: true }],
      'max-lines': ['warn', { max: 300, skipBlankLines: true, skipComments: true }],
    },
  },
  { files: ['**/*.cjs'], rules: { '@typescript-eslint/no-require-imports': 'off' } },
  { files: ['tests/**'], rules: { 'max-lines-per-function': 'off' } },
  {
    files: ['src/**'],
    plugins: { engram: { rules: { layers: layersRule } } },
    rules: { 'engram/layers': 'error' },
  },
  {
    files: ['src/renderer/**', 'src/main/engine/**', 'src/main/contract/**'],
    rules: { 'no-restricted-globals': ['error', ...NO_NODE] },
  },
  {
    files: ['src/main/**'],
    ignores: ['src/main/preload.ts'],
    rules: { 'no-restricted-globals': ['error', ...NO_NODE.slice(2), ...NO_WINDOW] },
  },
  {
    files: ['src/main/engine/**', 'src/main/contract/**'],
    rules: { 'no-restricted-globals': ['error', ...NO_NODE, ...NO_WINDOW] },
  },
)
