/**
 * Builds the editor's tree and its values from the concrete syntax of one valid document. Decides
 * what keys, tags and aliases mean, and counts what aliases expand to. Assumes that the `yaml`
 * package's composer found no error in the same tokens.
 */
import { CST } from 'yaml';
import type { ProblemAt } from './yaml-problem.js';
import { readPlain } from './yaml-scalar.js';
import type {
  AliasNode,
  CollectionNode,
  Entry,
  Node,
  Property,
  ScalarNode,
  ScalarStyle,
} from './yaml-tree.js';
import { setKey, type YamlMap, type YamlValue } from './yaml-value.js';

/** What {@link buildTree} works on. */
export interface TreeInput {
  readonly document: CST.Document;
  /** Resolves a tag as written to its full name. */
  readonly tagName: (source: string) => string;
  readonly limits: { maxDepth: number; maxAliases: number; maxAliasValues: number };
  readonly problem: ProblemAt;
}

/** The tree of a document, and its aliases in the order of the text. */
export interface Tree {
  readonly root: Node;
  readonly aliases: readonly AliasNode[];
}

/** @throws CheckpointError as `parseYaml` documents. */
export function buildTree(input: TreeInput): Tree {
  const builder = new TreeBuilder(input);
  const { document } = input;
  const root = builder.node(document.value, document.start, 'doc-start', document.offset, 0);
  return { root, aliases: builder.aliases };
}

const CORE = 'tag:yaml.org,2002:';
const STYLES: Readonly<Record<string, ScalarStyle>> = {
  scalar: 'plain',
  'single-quoted-scalar': 'single',
  'double-quoted-scalar': 'double',
};

interface Properties {
  readonly anchor: Property | undefined;
  readonly tag: Property | undefined;
  /** Where indicator and properties end. */
  readonly end: number;
  /** Where the indicator ends, -1 without one. */
  readonly indicatorEnd: number;
}

class TreeBuilder {
  readonly aliases: AliasNode[] = [];
  private readonly input: TreeInput;
  /** The newest value of each anchor; `undefined` while the value is still being read. */
  private readonly anchors = new Map<string, Node | undefined>();
  private aliasValues = 0;

  constructor(input: TreeInput) {
    this.input = input;
  }

  /** Builds the value that a token spells; without a token, the null that nothing spells. */
  node(
    token: CST.Token | null | undefined,
    before: readonly CST.SourceToken[],
    indicator: CST.SourceToken['type'] | undefined,
    emptyAt: number,
    depth: number,
  ): Node {
    const properties = this.properties(before, indicator, emptyAt);
    const { anchor } = properties;
    if (anchor) this.anchors.set(anchor.name, undefined);
    const node = this.content(token, properties, depth);
    if (anchor) this.anchors.set(anchor.name, node);
    return node;
  }

  private properties(
    before: readonly CST.SourceToken[],
    indicator: CST.SourceToken['type'] | undefined,
    emptyAt: number,
  ): Properties {
    let [anchor, tag]: [Property | undefined, Property | undefined] = [undefined, undefined];
    let end = emptyAt;
    let indicatorEnd = -1;
    for (const { type, offset, source } of before) {
      const range = { start: offset, end: offset + source.length };
      if (type === indicator) indicatorEnd = range.end;
      else if (type === 'anchor') anchor = { ...range, name: source.slice(1) };
      else if (type === 'tag') tag = { ...range, name: this.input.tagName(source) };
      else continue;
      end = range.end;
    }
    return { anchor, tag, end, indicatorEnd };
  }

  private content(
    token: CST.Token | null | undefined,
    properties: Properties,
    depth: number,
  ): Node {
    switch (token?.type) {
      case 'alias':
        return this.alias(token, properties, depth);
      case 'block-map':
      case 'block-seq':
      case 'flow-collection':
        return this.collection(token, properties, depth + 1);
      case 'scalar':
      case 'single-quoted-scalar':
      case 'double-quoted-scalar':
      case 'block-scalar':
        return this.scalar(token, properties);
      default:
        return this.scalar(undefined, properties);
    }
  }

  private alias(token: CST.FlowScalar, properties: Properties, depth: number): AliasNode {
    const { problem, limits } = this.input;
    const name = token.source.slice(1);
    const target = this.anchors.get(name);
    if (!target) {
      const what = this.anchors.has(name)
        ? `the alias *${name} stands inside its own anchor &${name}, which has no finite value.`
        : `the alias *${name} has no anchor &${name} before it.`;
      throw problem('INVALID_YAML', token.offset, what);
    }
    this.aliasValues += target.weight;
    if (this.aliases.length >= limits.maxAliases || this.aliasValues > limits.maxAliasValues) {
      const what = `more than ${limits.maxAliases} aliases, or more than ${limits.maxAliasValues} values through them.`;
      throw problem('TOO_MANY_ALIASES', token.offset, what);
    }
    this.checkDepth(depth + target.height, token.offset);
    const { value, height, weight } = target;
    const range = { start: token.offset, end: token.offset + token.source.length };
    const base = { ...range, ...placed(properties), value, height, weight };
    const alias: AliasNode = { kind: 'alias', target, ...base };
    this.aliases.push(alias);
    return alias;
  }

  private checkDepth(depth: number, offset: number): void {
    const { maxDepth } = this.input.limits;
    if (depth <= maxDepth) return;
    throw this.input.problem('TOO_DEEP', offset, `nested deeper than ${maxDepth} levels.`);
  }

  private scalar(
    token: CST.FlowScalar | CST.BlockScalar | undefined,
    properties: Properties,
  ): ScalarNode {
    const isEmpty = token === undefined || (token.type === 'scalar' && token.source === '');
    const start = isEmpty ? properties.end : token.offset;
    const resolved = isEmpty ? undefined : CST.resolveAsScalar(token, true, () => {});
    const content = resolved?.value ?? '';
    const end = resolved?.range[1] ?? start;
    const header = token?.type === 'block-scalar' ? token.props[0] : undefined;
    const headerText = header && 'source' in header ? String(header.source) : '';
    const style = isEmpty ? 'empty' : styleOf(token, headerText);
    const isPlain = style === 'plain' || style === 'empty';
    const value = this.typed(content, isPlain, properties.tag, start);
    const headerEnd = header ? start + headerText.length : end;
    const blockIndent = token?.type === 'block-scalar' ? blockIndentOf(token, headerText) : 0;
    const base = { start, end, headerEnd, blockIndent, style, content, ...placed(properties) };
    return { kind: 'scalar', ...base, value, height: 0, weight: 1 };
  }

  /** The value of a scalar by its tag, or by its looks if it is plain and has none. */
  private typed(
    content: string,
    isPlain: boolean,
    tag: Property | undefined,
    offset: number,
  ): YamlValue {
    if (/\p{Surrogate}/u.test(content)) {
      const what =
        "an escape stands for half of a character (a lone surrogate), which can't be saved.";
      throw this.input.problem('INVALID_YAML', offset, what);
    }
    if (tag === undefined) return isPlain ? readPlain(content) : content;
    if (!tag.name.startsWith(CORE)) return content;
    const type = tag.name.slice(CORE.length);
    const value = readPlain(content);
    const isNumber = typeof value === 'number' || typeof value === 'bigint';
    const fits = new Map([
      ['null', value === null],
      ['bool', typeof value === 'boolean'],
      ['int', typeof value === 'bigint' || Number.isInteger(value)],
      ['float', isNumber],
      ['map', false],
      ['seq', false],
    ]).get(type);
    if (fits === undefined) return content;
    if (fits) return value;
    throw this.input.problem('INVALID_YAML', tag.start, `this value is not a !!${type}.`);
  }

  private collection(
    token: CST.BlockMap | CST.BlockSequence | CST.FlowCollection,
    properties: Properties,
    depth: number,
  ): CollectionNode {
    this.checkDepth(depth, token.offset);
    const isFlow = token.type === 'flow-collection';
    const isList = token.type === 'block-seq' || (isFlow && token.start.type === 'flow-seq-start');
    const entries = isFlow
      ? this.flowEntries(token, isList, depth)
      : this.blockEntries(token, isList, depth);
    const tag = properties.tag?.name;
    const wrong = isList
      ? ['map', 'str', 'int', 'float', 'bool', 'null']
      : ['seq', 'str', 'int', 'float', 'bool', 'null'];
    if (properties.tag && tag !== undefined && wrong.some((name) => tag === CORE + name)) {
      const what = `this ${isList ? 'list' : 'map'} is not a !!${tag.slice(CORE.length)}.`;
      throw this.input.problem('INVALID_YAML', properties.tag.start, what);
    }
    const close = isFlow ? token.end[0] : undefined;
    const end = close ? close.offset + close.source.length : (entries.at(-1)?.end ?? token.offset);
    const start = isFlow ? token.offset : (entries[0]?.start ?? token.offset);
    return {
      ...this.finish(entries, isList),
      ...{ start, end, isFlow, isImplicitPair: false },
      ...placed(properties),
    };
  }

  /** The parts of a collection that follow from its entries. */
  private finish(entries: readonly Entry[], isList: boolean) {
    let [height, weight] = [0, 1];
    for (const { node } of entries) {
      height = Math.max(height, node.height);
      weight += node.weight;
    }
    const value = isList ? entries.map(({ node }) => node.value) : this.mapOf(entries);
    Object.freeze(value);
    return { kind: isList ? 'list' : 'map', entries, value, height: height + 1, weight } as const;
  }

  private mapOf(entries: readonly Entry[]): YamlMap {
    const map: YamlMap = {};
    const typedKeys = new Set<YamlValue>();
    for (const { key, keyNode, start, node } of entries) {
      const name = key ?? '';
      const typed = keyNode?.value ?? null;
      if (Object.hasOwn(map, name) || typedKeys.has(typed)) {
        const what = `the key ${JSON.stringify(name.slice(0, 80))} is there twice in one map. Remove or rename one.`;
        throw this.input.problem('DUPLICATE_KEY', keyNode?.start ?? start, what);
      }
      // Text can only repeat as text; other types can be written in several ways (1.0 and 1.00).
      if (typeof typed !== 'string') typedKeys.add(typed);
      setKey(map, name, node.value);
    }
    return map;
  }

  private blockEntries(
    token: CST.BlockMap | CST.BlockSequence,
    isList: boolean,
    depth: number,
  ): Entry[] {
    const entries: Entry[] = [];
    for (const item of token.items) {
      const first = item.start.find(isMeaningful);
      if (!first && !item.key && !item.sep && !item.value) continue;
      if (isList) {
        const dashAt = first?.offset ?? item.value?.offset ?? token.offset;
        const node = this.node(item.value, item.start, 'seq-item-ind', dashAt + 1, depth);
        entries.push(listEntry(dashAt, dashAt + 1, node, -1));
      } else {
        entries.push(this.pair(item, depth, -1));
      }
    }
    return entries;
  }

  private flowEntries(token: CST.FlowCollection, isList: boolean, depth: number): Entry[] {
    const entries: Entry[] = [];
    token.items.forEach((item, index) => {
      const commaEnd = commaBefore(token.items[index + 1]);
      const isPair = !isList || item.sep || item.start.some((t) => t.type === 'explicit-key-ind');
      const hasContent = item.start.some((t) => isMeaningful(t) && t.type !== 'comma');
      if (!hasContent && !item.key && !item.sep && !item.value) return;
      if (isPair) {
        const pair = this.pair(item, isList ? depth + 1 : depth, commaEnd);
        entries.push(isList ? this.implicitPair(pair, depth + 1) : pair);
        return;
      }
      const before = item.start.filter((t) => t.type !== 'comma');
      const at = item.value?.offset ?? before.at(-1)?.offset ?? token.offset;
      const node = this.node(item.value ?? item.key, before, undefined, at, depth);
      const start = before.find(isMeaningful)?.offset ?? node.start;
      entries.push(listEntry(start, -1, node, commaEnd));
    });
    return entries;
  }

  /** `[key: value]`: a map of one pair without braces. */
  private implicitPair(pair: Entry, depth: number): Entry {
    this.checkDepth(depth, pair.start);
    const { start, end, commaEnd } = pair;
    const entries = [{ ...pair, commaEnd: -1 }];
    const none = { anchor: undefined, tag: undefined, propertiesEnd: start };
    const flags = { isFlow: true, isImplicitPair: true };
    const node: CollectionNode = { ...this.finish(entries, false), start, end, ...flags, ...none };
    return listEntry(start, -1, node, commaEnd);
  }

  private pair(item: CST.CollectionItem, depth: number, commaEnd: number): Entry {
    const before = item.start.filter((token) => token.type !== 'comma');
    const sep = item.sep ?? [];
    const colon = sep.find((token) => token.type === 'map-value-ind');
    const first = before.find(isMeaningful);
    const start = first?.offset ?? item.key?.offset ?? colon?.offset ?? item.value?.offset ?? 0;
    const keyNode = this.key(item.key, before, start, depth);
    const keyEnd = keyNode.style === 'empty' ? Math.max(keyNode.end, start) : keyNode.end;
    const colonEnd = colon ? colon.offset + 1 : -1;
    const node = this.node(item.value, sep, 'map-value-ind', colon ? colonEnd : keyEnd, depth);
    return {
      ...{ start, end: Math.max(keyEnd, node.end), indicatorEnd: colonEnd },
      ...{ key: keyNode.text, keyNode: keyNode.node },
      isExplicit: before.some((token) => token.type === 'explicit-key-ind'),
      ...{ node, commaEnd },
    };
  }

  /** A key with its text: as written, so that `1.10` and `0x10` stay what they look like. */
  private key(
    token: CST.Token | null | undefined,
    before: readonly CST.SourceToken[],
    at: number,
    depth: number,
  ) {
    const node = this.node(token, before, 'explicit-key-ind', at, depth);
    const scalar = node.kind === 'alias' ? node.target : node;
    if (node.kind === 'list' || node.kind === 'map' || scalar.kind !== 'scalar') {
      const what = "a list or a map can't be a key in a state. Use text.";
      throw this.input.problem('INVALID_YAML', node.start, what);
    }
    const keyNode: ScalarNode | AliasNode = node.kind === 'alias' ? node : scalar;
    return { node: keyNode, text: scalar.content, end: node.end, style: scalar.style };
  }
}

function placed({ anchor, tag, end }: Properties) {
  return { anchor, tag, propertiesEnd: end };
}

function listEntry(start: number, indicatorEnd: number, node: Node, commaEnd: number): Entry {
  const key = { key: undefined, keyNode: undefined, isExplicit: false };
  const end = Math.max(node.end, indicatorEnd, node.propertiesEnd);
  return { start, end, indicatorEnd, ...key, node, commaEnd };
}

function isMeaningful({ type }: CST.SourceToken): boolean {
  return type !== 'space' && type !== 'newline' && type !== 'comment';
}

function commaBefore(item: CST.CollectionItem | undefined): number {
  const comma = item?.start.find((token) => token.type === 'comma');
  return comma ? comma.offset + 1 : -1;
}

function blockIndentOf({ source, indent }: CST.BlockScalar, header: string): number {
  const indicator = /\d/.exec(header);
  if (indicator) return Number(indicator[0]);
  const first = /^( *)[^ \r\n]/m.exec(source);
  return Math.max(0, (first?.[1]?.length ?? 0) - indent);
}

function styleOf(token: CST.FlowScalar | CST.BlockScalar, header: string): ScalarStyle {
  if (token.type === 'block-scalar') return header.startsWith('>') ? 'folded' : 'literal';
  return STYLES[token.type] ?? 'plain';
}
