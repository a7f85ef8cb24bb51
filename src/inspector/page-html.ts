/**
 * The inspector's page as HTML. With script, style and model inside it is one file that needs nothing
 * else and asks for nothing, also when it is opened from a disk; without them it is the shell that the
 * inspector's server serves. Either way its policy lets it load nothing from anywhere else. Pure text.
 */
import { sha256Hex } from '../format/bytes.js';
import type { RunModel } from './run-model.js';

/** What the page is made of. */
export interface PageOptions {
  /** The text of `page.js` and of `page.css`; left out, both are loaded from beside the page. */
  readonly script?: string;
  readonly style?: string;
  /** The run; left out, the page asks for `run.json` beside itself. */
  readonly model?: RunModel;
  /** For the policy, where the server sends one of its own; without it, hashes are used. */
  readonly nonce?: string;
  /** Appended to the names of script and style where they are loaded: `?token=…`. */
  readonly query?: string;
  readonly title?: string;
}

/**
 * Renders the page.
 *
 * @throws `RangeError` if script or style would end its own element
 */
export function renderPage(options: PageOptions): string {
  const { model, title = model?.title ?? 'inspector', query = '' } = options;
  const nonce = options.nonce === undefined ? '' : ` nonce="${toMarkup(options.nonce)}"`;
  const { script, style } = options;
  const link = toMarkup(query);
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="${toMarkup(policyOf(options))}">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="color-scheme" content="light dark">',
    '<meta name="referrer" content="no-referrer">',
    '<link rel="icon" href="data:,">',
    `<title>${toMarkup(title)} · checkpoint-wal</title>`,
    style === undefined
      ? `<link rel="stylesheet" href="page.css${link}"${nonce}>`
      : `<style${nonce}>${inside(style, 'style')}</style>`,
    '</head>',
    '<body>',
    '<noscript>This page needs JavaScript; it runs none but its own.</noscript>',
    ...(model === undefined ? [] : [dataOf(model)]),
    script === undefined
      ? `<script type="module" src="page.js${link}"${nonce}></script>`
      : `<script type="module"${nonce}>${inside(script, 'script')}</script>`,
    '</body>',
    '</html>',
    '',
  ].join('\n');
}

/** Nothing from anywhere, except for the page's own parts and, where it is served, its own server. */
function policyOf({ script, style, model, nonce }: PageOptions): string {
  const allow = (text: string | undefined) => {
    if (nonce !== undefined) return `'nonce-${nonce}'`;
    return text === undefined ? "'self'" : `'sha256-${hashOf(text)}'`;
  };
  return [
    "default-src 'none'",
    `script-src ${allow(script)}`,
    `style-src ${allow(style)}`,
    'img-src data:',
    ...(model === undefined ? ["connect-src 'self'"] : []),
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
}

/** The model as data that no text inside of it can end. */
function dataOf(model: RunModel): string {
  const json = JSON.stringify(model).replaceAll('<', '\\u003c');
  return `<script type="application/json" id="run-model">${json}</script>`;
}

function inside(text: string, element: 'script' | 'style'): string {
  const ends = new RegExp(`</${element}|<!--`, 'i').exec(text)?.[0];
  if (ends !== undefined) throw new RangeError(`the ${element} holds ${ends}`);
  return text;
}

function hashOf(text: string): string {
  const digits = sha256Hex(new TextEncoder().encode(text)).match(/../g) ?? [];
  return btoa(String.fromCharCode(...digits.map((two) => Number.parseInt(two, 16))));
}

function toMarkup(text: string): string {
  const named: Readonly<Record<string, string>> = { '&': 'amp', '<': 'lt', '>': 'gt', '"': 'quot' };
  return text.replace(/[&<>"]/g, (character) => `&${named[character]};`);
}
