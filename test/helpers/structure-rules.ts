/**
 * The structure of `src/` as rules that a program can check: who may import whom, what may touch the
 * system, what must be documented. Reads sources as syntax only, so that it also runs on the small
 * in-memory sources by which each rule is shown to fail. Ruled by `docs/architecture.md`.
 */
import ts from 'typescript';

/** One source file: its path from the project's root, with forward slashes, and its text. */
export interface Source {
  readonly path: string;
  readonly text: string;
}

/** The rules, by name. */
export type Rule =
  | 'import-direction'
  | 'port-types-only'
  | 'outside-package'
  | 'page'
  | 'node-module'
  | 'import-cycle'
  | 'barrel'
  | 'default-export'
  | 'impure'
  | 'file-size'
  | 'file-name'
  | 'opening-comment'
  | 'undocumented-export';

/** A place where a rule is broken. */
export interface Violation {
  readonly rule: Rule;
  readonly file: string;
  readonly line: number;
  readonly message: string;
}

/** What the checker takes for granted about this project. */
export interface StructureOptions {
  readonly linesMax: number;
  /** Files that may be longer, up to a limit of their own, for a reason. */
  readonly longFiles: Readonly<Record<string, { readonly linesMax: number; readonly why: string }>>;
}

type Layer = keyof typeof layers;

/**
 * For each layer, the layers it may import besides itself. `cli`, `testing` and `inspector` stand on
 * the store; among them imports run one way too, so that none of them can form a circle. `otel` is an
 * entry point of its own, so that nobody loads OpenTelemetry who doesn't ask for it: nothing imports it.
 */
const layers = {
  errors: [],
  format: ['errors'],
  machines: ['format', 'errors'],
  audit: ['format', 'errors'],
  io: ['format', 'errors'],
  store: ['machines', 'audit', 'io', 'format', 'errors'],
  durable: ['store', 'format', 'errors'],
  index: ['durable', 'store', 'machines', 'audit', 'io', 'format', 'errors'],
  otel: ['io', 'errors'],
  inspector: ['index', 'durable', 'store', 'machines', 'audit', 'io', 'format', 'errors'],
  testing: [
    'inspector',
    'index',
    'durable',
    'store',
    'machines',
    'audit',
    'io',
    'format',
    'errors',
  ],
  cli: [
    'testing',
    'inspector',
    'index',
    'durable',
    'store',
    'machines',
    'audit',
    'io',
    'format',
    'errors',
  ],
} as const;

/** The two files of `io` that hold the port's types. */
const portFiles = ['src/io/checkpoint-io.ts', 'src/io/io-messages.ts'];

/** Packages that a layer may use; the command line may use any. */
const packages: Partial<Record<Layer, readonly string[]>> = {
  errors: [],
  format: ['yaml', 'node:zlib', 'node:crypto', 'node:buffer'],
  machines: ['xstate'],
  audit: ['xstate', '@standard-schema/spec'],
  io: ['xstate'],
  store: ['xstate', '@standard-schema/spec'],
  durable: ['xstate'],
  index: ['xstate', '@standard-schema/spec'],
  otel: ['@opentelemetry/api'],
  inspector: ['xstate'],
  testing: ['xstate', '@standard-schema/spec'],
};

/** What runs in a browser: it has no `node:*`, and of the rest of the package it knows types. */
const isPage = (path: string): boolean => path.startsWith('src/inspector/page/');

/** The data that the page is given. */
const pageData = ['src/inspector/run-model.ts', 'src/format/audit-entry.ts'];

/**
 * What a lower layer may load of a higher one, only when it is asked for: who imports what. Its types come
 * along; what the higher one knows of the lower is an interface of its own.
 */
const lazyImports = new Set(['src/store/load-inspector.ts src/inspector/attach-inspector.ts']);

/** Files outside of the command line that may use `node:*`. */
const nodeFiles = [
  /^src\/io\/node-[a-z-]+\.ts$/,
  /^src\/io\/(kernel-lock|lock-file|process-identity)\.ts$/,
  /^src\/inspector\/(?:node-[a-z-]+|[a-z-]*server[a-z-]*)\.ts$/,
  // The recorder takes the place of node's own functions: there is nothing to inject.
  /^src\/testing\/node-fs-[a-z-]+\.ts$/,
];

/** Names by which clocks, chance and the process come in. */
const impureNames = new Set([
  ...['Date', 'performance', 'process', 'crypto', 'globalThis', 'global', 'fetch', 'console'],
  ...['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask'],
]);

/** Entry points of the package: the only files that may hand on what others export. */
const entryPoints = new Set([
  'src/index.ts',
  'src/testing/index.ts',
  'src/inspector/index.ts',
  'src/otel/index.ts',
]);

interface ImportOf {
  readonly from: string;
  readonly typeOnly: boolean;
  readonly line: number;
}

/** Checks all rules on all sources. */
export function checkStructure(
  sources: readonly Source[],
  { linesMax, longFiles }: StructureOptions,
): Violation[] {
  const graph = new Map<string, readonly string[]>();
  const found: Violation[] = [];
  for (const source of sources) {
    const parsed = ts.createSourceFile(source.path, source.text, ts.ScriptTarget.Latest, true);
    const imports = importsOf(parsed);
    const inside = imports.map(({ from }) => resolve(source.path, from));
    graph.set(
      source.path,
      inside.filter((path) => path !== undefined),
    );
    found.push(
      ...checkImports(source.path, imports),
      ...checkExports(parsed),
      ...checkPurity(parsed),
      ...checkName(source.path),
      ...checkOpening(source),
      ...checkSize(source, longFiles[source.path]?.linesMax ?? linesMax),
    );
  }
  return [...found, ...checkCycles(graph)];
}

function layerOf(path: string): Layer | undefined {
  const name = /^src\/([a-z-]+)(?:\.ts$|\/)/.exec(path)?.[1];
  return name !== undefined && Object.hasOwn(layers, name) ? (name as Layer) : undefined;
}

/** The project file that a relative import names; `undefined` for a package. */
function resolve(path: string, from: string): string | undefined {
  if (!from.startsWith('.')) return undefined;
  const url = new URL(from, `file:///${path}`);
  return url.pathname.slice(1).replace(/\.js$/, '.ts');
}

function lineOf(node: ts.Node): number {
  const file = node.getSourceFile();
  return file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1;
}

function walk(node: ts.Node, visit: (node: ts.Node) => void): void {
  visit(node);
  node.forEachChild((child) => walk(child, visit));
}

function importsOf(file: ts.SourceFile): ImportOf[] {
  const imports: ImportOf[] = [];
  walk(file, (node) => {
    const from = moduleNameOf(node);
    if (from) imports.push({ from, typeOnly: isTypeOnly(node), line: lineOf(node) });
  });
  return imports;
}

function moduleNameOf(node: ts.Node): string | undefined {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) {
    const name = node.moduleSpecifier;
    return name && ts.isStringLiteral(name) ? name.text : undefined;
  }
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
    const [name] = node.arguments;
    return name && ts.isStringLiteralLike(name) ? name.text : undefined;
  }
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
    const { literal } = node.argument;
    return ts.isStringLiteral(literal) ? literal.text : undefined;
  }
  return undefined;
}

function isTypeOnly(node: ts.Node): boolean {
  if (ts.isImportTypeNode(node)) return true;
  if (ts.isExportDeclaration(node)) return node.isTypeOnly;
  if (!ts.isImportDeclaration(node)) return false;
  const clause = node.importClause;
  if (clause === undefined) return false;
  if (clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true;
  const named = clause.namedBindings;
  return (
    clause.name === undefined &&
    named !== undefined &&
    ts.isNamedImports(named) &&
    named.elements.length > 0 &&
    named.elements.every(({ isTypeOnly: type }) => type)
  );
}

function checkImports(path: string, imports: readonly ImportOf[]): Violation[] {
  const layer = layerOf(path);
  if (layer === undefined) {
    const message = `it belongs to no layer (${Object.keys(layers).join(', ')})`;
    return [{ rule: 'import-direction', file: path, line: 1, message }];
  }
  return imports.flatMap((one) => {
    const target = resolve(path, one.from);
    if (isPage(path)) return checkPage(path, target, one);
    return target === undefined
      ? checkPackage(path, layer, one)
      : checkInside(path, layer, target, one);
  });
}

function checkPage(
  path: string,
  target: string | undefined,
  { from, typeOnly, line }: ImportOf,
): Violation[] {
  if (target !== undefined && isPage(target)) return [];
  if (target !== undefined && pageData.includes(target) && typeOnly) return [];
  const message = `${from}: the page imports itself, and types of ${pageData.join(', ')}`;
  return [{ rule: 'page', file: path, line, message }];
}

function checkPackage(path: string, layer: Layer, { from, line }: ImportOf): Violation[] {
  const allowed = packages[layer];
  if (allowed === undefined || allowed.includes(from)) return [];
  if (from.startsWith('node:')) {
    if (nodeFiles.some((pattern) => pattern.test(path))) return [];
    const message = `${from} is for the node file system, the lock, the inspector's server and files, the recorder of node's fs and the command line`;
    return [{ rule: 'node-module', file: path, line, message }];
  }
  const list = allowed.join(', ') || 'no package at all';
  const message = `${from}: ${layer} uses ${list}`;
  return [{ rule: 'outside-package', file: path, line, message }];
}

function checkInside(
  path: string,
  layer: Layer,
  target: string,
  { typeOnly, line }: ImportOf,
): Violation[] {
  const to = layerOf(target);
  if (isPage(target)) {
    const message = `${target} runs in a browser: only the page's bundle holds it`;
    return [{ rule: 'page', file: path, line, message }];
  }
  if (to === layer || lazyImports.has(`${path} ${target}`)) return [];
  if (layer === 'machines' && portFiles.includes(target)) {
    if (typeOnly) return [];
    const message = `${target} is the port: import its types only`;
    return [{ rule: 'port-types-only', file: path, line, message }];
  }
  const allowed: readonly string[] = layers[layer];
  if (to !== undefined && allowed.includes(to)) return [];
  const message = `${layer} may import ${allowed.join(', ') || 'nothing'}, not ${target}`;
  return [{ rule: 'import-direction', file: path, line, message }];
}

/** Circles, each once; types count too, as a circle of types is one idea spread over two files. */
function checkCycles(graph: ReadonlyMap<string, readonly string[]>): Violation[] {
  const found = new Map<string, Violation>();
  const done = new Set<string>();
  const visit = (path: string, way: readonly string[]): void => {
    const start = way.indexOf(path);
    if (start >= 0) {
      const circle = way.slice(start);
      const message = [...circle, path].join(' → ');
      const key = [...circle].sort().join();
      found.set(key, { rule: 'import-cycle', file: path, line: 1, message });
      return;
    }
    if (done.has(path)) return;
    for (const next of graph.get(path) ?? []) visit(next, [...way, path]);
    done.add(path);
  };
  for (const path of graph.keys()) visit(path, []);
  return [...found.values()];
}

function checkExports(file: ts.SourceFile): Violation[] {
  const path = file.fileName;
  const documented = new Set<string>();
  return file.statements.flatMap((statement): Violation[] => {
    const line = lineOf(statement);
    if (ts.isExportAssignment(statement)) {
      return [{ rule: 'default-export', file: path, line, message: 'export it by name' }];
    }
    if (ts.isExportDeclaration(statement)) {
      if (entryPoints.has(path)) return [];
      const message = 'only entry points export lists of names; export where it is declared';
      return [{ rule: 'barrel', file: path, line, message }];
    }
    const modifiers = ts.canHaveModifiers(statement) ? (ts.getModifiers(statement) ?? []) : [];
    const kinds = modifiers.map(({ kind }) => kind);
    if (kinds.includes(ts.SyntaxKind.DefaultKeyword)) {
      return [{ rule: 'default-export', file: path, line, message: 'export it by name' }];
    }
    if (!kinds.includes(ts.SyntaxKind.ExportKeyword)) return [];
    const name = nameOf(statement);
    if (hasDocComment(file, statement)) documented.add(name);
    // Further signatures of a documented function share its comment.
    if (documented.has(name)) return [];
    return [{ rule: 'undocumented-export', file: path, line, message: name }];
  });
}

function nameOf(statement: ts.Statement): string {
  if (ts.isVariableStatement(statement)) {
    return statement.declarationList.declarations.map(({ name }) => name.getText()).join(', ');
  }
  const { name } = statement as ts.DeclarationStatement;
  return name?.getText() ?? '(unnamed)';
}

/** The comment right before the statement; the one that opens the file speaks of the file. */
function hasDocComment(file: ts.SourceFile, statement: ts.Statement): boolean {
  const comments = ts.getLeadingCommentRanges(file.text, statement.pos) ?? [];
  const last = comments.at(-1);
  return last !== undefined && last.pos > 0 && file.text.startsWith('/**', last.pos);
}

function checkPurity(file: ts.SourceFile): Violation[] {
  const path = file.fileName;
  const layer = layerOf(path);
  if (layer !== 'machines' && layer !== 'format') return [];
  const found: Violation[] = [];
  walk(file, (node) => {
    const name = impurity(node);
    if (name === undefined) return;
    found.push({ rule: 'impure', file: path, line: lineOf(node), message: `${name} in ${layer}` });
  });
  return found;
}

function impurity(node: ts.Node): string | undefined {
  if (!ts.isIdentifier(node)) return undefined;
  const { parent, text } = node;
  // `Math.random` is a property of something pure; other properties may be called what they like.
  const isProperty = ts.isPropertyAccessExpression(parent) && parent.name === node;
  if (isProperty) {
    const isChance = text === 'random' && parent.expression.getText() === 'Math';
    return isChance ? 'Math.random' : undefined;
  }
  if (!impureNames.has(text)) return undefined;
  const isName =
    (ts.isPropertyAssignment(parent) || ts.isPropertySignature(parent)) && parent.name === node;
  // `value instanceof Date` reads no clock.
  const isTest =
    ts.isBinaryExpression(parent) && parent.operatorToken.kind === ts.SyntaxKind.InstanceOfKeyword;
  // `new Date(milliseconds)` only formats a time that was read elsewhere.
  const isGiven =
    text === 'Date' && ts.isNewExpression(parent) && (parent.arguments?.length ?? 0) > 0;
  return isName || isTest || isGiven ? undefined : text;
}

function checkName(path: string): Violation[] {
  if (/^src\/(?:[a-z0-9]+(?:-[a-z0-9]+)*\/)*[a-z0-9]+(?:-[a-z0-9]+)*\.ts$/.test(path)) return [];
  return [{ rule: 'file-name', file: path, line: 1, message: 'file names are kebab-case' }];
}

function checkOpening({ path, text }: Source): Violation[] {
  if (/^(?:#![^\n]*\n)?\/\*\*/.test(text)) return [];
  const message = 'a file opens with a comment on what it owns, what it assumes, what rules it';
  return [{ rule: 'opening-comment', file: path, line: 1, message }];
}

function checkSize({ path, text }: Source, linesMax: number): Violation[] {
  const lines = text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
  if (lines <= linesMax) return [];
  const message = `${lines} lines; ${linesMax} at most`;
  return [{ rule: 'file-size', file: path, line: linesMax, message }];
}
