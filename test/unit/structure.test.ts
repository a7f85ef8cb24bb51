/**
 * The structure rules of `docs/architecture.md`, checked on `src/` as it is, and each rule shown to
 * fail on a small source that breaks it.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { checkStructure, type Rule, type Source } from '../helpers/structure-rules.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const linesMax = 400;
const longFiles = {
  'src/machines/checkpoint-machine.ts': {
    linesMax: 440,
    why: 'one statechart: cut in two, no half can be read',
  },
  'src/machines/checkpoint-setup.ts': {
    linesMax: 580,
    why: 'the named actions and guards of that statechart, one list',
  },
  'src/machines/failure-detector-machine.ts': { linesMax: 450, why: 'likewise' },
  'src/machines/recovery-machine.ts': { linesMax: 600, why: 'likewise' },
  'src/store.ts': { linesMax: 750, why: 'the public class, a third of it documentation' },
};

function readSources(): Source[] {
  return readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => `src/${name.replaceAll('\\', '/')}`)
    .sort()
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
}

describe('the sources of this package', () => {
  const sources = readSources();

  it('are found', () => {
    expect(sources.map(({ path }) => path)).toContain('src/machines/write-machine.ts');
  });

  it('follow every structure rule', () => {
    const violations = checkStructure(sources, { linesMax, longFiles });
    const lines = violations.map(
      ({ rule, file, line, message }) => `${file}:${line} ${rule}: ${message}`,
    );
    expect(lines).toEqual([]);
  });

  it.each(Object.keys(longFiles))('still need the exception for the length of %s', (path) => {
    const source = sources.find((candidate) => candidate.path === path);
    expect(source?.text.split('\n').length).toBeGreaterThan(linesMax);
  });
});

const opening = '/** What this file owns. */\n';

/** A file that keeps every rule as far as `body` does. */
const file = (path: string, body = ''): Source => ({ path, text: `${opening}${body}` });

/** The rules that these sources break, each named once. */
function broken(...sources: Source[]): Rule[] {
  const found = checkStructure(sources, { linesMax: 5, longFiles: {} });
  return [...new Set(found.map(({ rule }) => rule))];
}

describe('a checker of the structure rules', () => {
  it.each([
    ['src/format/a.ts', "import { b } from '../io/b.js';"],
    ['src/format/yaml/a.ts', "import { b } from '../../store.js';"],
    ['src/errors.ts', "import { b } from './format/b.js';"],
    ['src/io/a.ts', "import type { B } from '../machines/b.js';"],
    ['src/audit/a.ts', "import { b } from '../io/b.js';"],
    ['src/machines/a.ts', "import type { B } from '../io/files.js';"],
    ['src/store/a.ts', "import { b } from '../cli/b.js';"],
    ['src/store.ts', "import { b } from './index.js';"],
    ['src/inspector/a.ts', "const b = await import('../cli/b.js');"],
    ['src/io/a.ts', "export const a: import('../store/b.js').B = 1;"],
    ['src/store.ts', "import { b } from './otel/index.js';"],
    ['src/otel/index.ts', "import { b } from '../store.js';"],
    ['src/stray.ts', ''],
  ])('refuses an import against the direction: %s: %s', (path, body) => {
    expect(broken(file(path, body))).toContain('import-direction');
  });

  it('allows machines the types of the port, and only its types', () => {
    const port = "from '../io/checkpoint-io.js';";
    expect(broken(file('src/machines/a.ts', `import type { B } ${port}`))).toEqual([]);
    expect(broken(file('src/machines/a.ts', `import { type B, type C } ${port}`))).toEqual([]);
    expect(broken(file('src/machines/a.ts', `import { b } ${port}`))).toEqual(['port-types-only']);
    expect(broken(file('src/machines/a.ts', `import { type B, c } ${port}`))).toEqual([
      'port-types-only',
    ]);
  });

  it.each([
    ['src/io/files.ts', 'node:fs'],
    ['src/machines/a.ts', 'node:crypto'],
    ['src/format/a.ts', 'node:fs'],
    ['src/store.ts', 'node:path'],
    ['src/inspector/a.ts', 'node:http'],
    ['src/testing/lab.ts', 'node:fs'],
  ])('refuses node modules outside of their places: %s: %s', (path, from) => {
    expect(broken(file(path, `import { b } from '${from}';`))).toEqual(['node-module']);
  });

  it.each([
    ['src/io/node-file-system.ts', 'node:fs'],
    ['src/io/lock-file.ts', 'node:crypto'],
    ['src/format/a.ts', 'node:zlib'],
    ['src/inspector/live-server.ts', 'node:http'],
    ['src/inspector/node-drawings.ts', 'node:fs'],
    ['src/testing/node-fs-tracer.ts', 'node:fs'],
    ['src/cli/main.ts', 'node:util'],
  ])('allows node modules in their places: %s: %s', (path, from) => {
    expect(broken(file(path, `import { b } from '${from}';`))).toEqual([]);
  });

  it('keeps the page apart: it has no packages, and of the rest only the types of its data', () => {
    const page = 'src/inspector/page/a.ts';
    const imports = [
      "import { b } from 'node:fs';",
      "import { b } from 'xstate';",
      "import { b } from '../../store.js';",
      "import { sealEntry } from '../../format/audit-entry.js';",
      "import type { Store } from '../../store.js';",
    ];
    for (const body of imports) expect(broken(file(page, body))).toEqual(['page']);
    const entries = "import type { AuditEntry } from '../../format/audit-entry.js';";
    expect(broken(file(page, `${entries}\nimport { c } from './c.js';`))).toEqual([]);
    const outside = "import { a } from './page/a.js';";
    expect(broken(file('src/inspector/b.ts', outside))).toEqual(['page']);
  });

  it('refuses packages that a layer has no business with', () => {
    const body = "import { createActor } from 'xstate';";
    expect(broken(file('src/format/a.ts', body))).toEqual(['outside-package']);
    expect(broken(file('src/machines/a.ts', "import { parse } from 'yaml';"))).toEqual([
      'outside-package',
    ]);
    const telemetry = "import { trace } from '@opentelemetry/api';";
    expect(broken(file('src/store.ts', telemetry))).toEqual(['outside-package']);
    expect(broken(file('src/otel/index.ts', telemetry))).toEqual([]);
  });

  it('refuses circles of imports, also through three files, also of types', () => {
    const circle = [
      file('src/io/a.ts', "import { b } from './b.js';"),
      file('src/io/b.ts', "import type { C } from './c.js';"),
      file('src/io/c.ts', "import { a } from './a.js';"),
    ];
    expect(broken(...circle)).toEqual(['import-cycle']);
    expect(broken(...circle.slice(0, 2))).toEqual([]);
  });

  it('refuses barrels except for the entry points', () => {
    const body = "export { b } from './b.js';";
    expect(broken(file('src/io/index.ts', body))).toEqual(['barrel']);
    expect(broken(file('src/index.ts', "export { b } from './store.js';"))).toEqual([]);
  });

  it.each(['/** A. */\nexport default class A {}', 'const a = 1;\nexport default a;'])(
    'refuses default exports: %j',
    (body) => {
      expect(broken(file('src/io/a.ts', body))).toEqual(['default-export']);
    },
  );

  it.each([
    'const now = Date.now();',
    'const today = new Date();',
    'const chance = Math.random();',
    'const { random } = { random: Math.random };',
    'const path = process.env;',
    'setTimeout(() => {}, 1);',
    'const id = crypto.randomUUID();',
    'const wait = { run: setTimeout };',
  ])('refuses clocks, chance and the process in machines: %s', (body) => {
    expect(broken(file('src/machines/a.ts', body))).toEqual(['impure']);
  });

  it('knows what only looks like a clock or chance', () => {
    const body = 'const a = { process: 1 }.process;\nconst b = a instanceof Date || x.random;';
    expect(broken(file('src/machines/a.ts', body))).toEqual([]);
    expect(broken(file('src/format/a.ts', 'const text = new Date(time).toISOString();'))).toEqual(
      [],
    );
    expect(broken(file('src/io/a.ts', 'const now = Date.now();'))).toEqual([]);
  });

  it('refuses files that are too long', () => {
    expect(broken(file('src/io/a.ts', 'a;\n'.repeat(4)))).toEqual([]);
    expect(broken(file('src/io/a.ts', 'a;\n'.repeat(5)))).toEqual(['file-size']);
  });

  it.each(['src/io/fileSystem.ts', 'src/io/File.ts', 'src/io/a_b.ts', 'src/io/Sub/a.ts'])(
    'refuses the file name %s',
    (path) => {
      expect(broken(file(path))).toEqual(['file-name']);
    },
  );

  it('refuses a file that does not open with a comment', () => {
    const body = "import { b } from './b.js';\n/** B. */\nexport const a = b;";
    expect(broken({ path: 'src/io/a.ts', text: body })).toEqual(['opening-comment']);
    const script = '#!/usr/bin/env node\n/** What it does. */\n';
    expect(broken({ path: 'src/cli/main.ts', text: script })).toEqual([]);
  });

  it('refuses exports without a comment of their own', () => {
    expect(broken(file('src/io/a.ts', 'export const a = 1;'))).toEqual(['undocumented-export']);
    expect(broken(file('src/io/a.ts', '// A.\nexport type A = 1;'))).toEqual([
      'undocumented-export',
    ]);
    expect(broken(file('src/io/a.ts', '/** A. */\nexport interface A {}'))).toEqual([]);
  });

  it('lets the signatures of one function share a comment', () => {
    const signatures = 'export function a(b: 1): 1;\nexport function a(b: 2): 2;\n';
    expect(broken(file('src/io/a.ts', `/** A. */\n${signatures}`))).toEqual([]);
  });
});
