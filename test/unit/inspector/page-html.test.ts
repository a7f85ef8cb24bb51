/** The page as HTML: what its policy allows, and that no text inside can become anything but text. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { renderPage } from '../../../src/inspector/page-html.js';
import type { RunModel } from '../../../src/inspector/run-model.js';

const model: RunModel = {
  version: 1,
  title: '</title><script>alert(1)</script>',
  source: 'audit',
  machines: [],
  entries: [],
  checkpoints: [
    { sequence: 1, size: 1, text: '</script><img src=x onerror=alert(1)><!-- \u2028 &amp;' },
  ],
};
const script = 'document.title;';
const style = 'body { color: red }';

const policyOf = (html: string) =>
  /Content-Security-Policy" content="([^"]*)"/.exec(html)?.[1]?.replaceAll('&gt;', '>') ?? '';
const sha256 = (text: string) => createHash('sha256').update(text).digest('base64');

describe('a self-contained page', () => {
  const html = renderPage({ script, style, model });

  it('allows its own script and style by their hashes, and nothing else at all', () => {
    const policy = policyOf(html).split('; ');
    expect(policy).toEqual([
      "default-src 'none'",
      `script-src 'sha256-${sha256(script)}'`,
      `style-src 'sha256-${sha256(style)}'`,
      'img-src data:',
      "base-uri 'none'",
      "form-action 'none'",
    ]);
    expect(html).not.toMatch(/(?:src|href)="(?!data:)/);
  });

  it('holds the model as data that no text inside of it can end', () => {
    const [, json = ''] =
      /<script type="application\/json" id="run-model">(.*?)<\/script>/s.exec(html) ?? [];
    expect(JSON.parse(json)).toEqual(model);
    expect(html.match(/<\/script>/g)).toHaveLength(2);
    expect(html).not.toContain('<img');
    expect(html).not.toContain('<!--');
  });

  it('shows a title that looks like markup as text', () => {
    expect(html).toContain('<title>&lt;/title&gt;&lt;script&gt;alert(1)');
  });

  it.each([
    ['script', { script: 'const a = "</script>";', style }],
    ['script', { script: 'const a = "<!--";', style }],
    ['style', { script, style: 'a::after { content: "</style>" }' }],
  ])('is refused where its own %s would end its element', (_, parts) => {
    expect(() => renderPage({ ...parts, model })).toThrow(RangeError);
  });
});

describe('a page that is served', () => {
  it('loads script and style from beside itself, with the query that it is given', () => {
    const html = renderPage({ query: '?token=a&b="', title: 'a store' });
    expect(html).toContain('src="page.js?token=a&amp;b=&quot;"');
    expect(html).toContain('href="page.css?token=a&amp;b=&quot;"');
    expect(policyOf(html)).toContain("script-src 'self'; style-src 'self'");
    expect(policyOf(html)).toContain("connect-src 'self'");
    expect(html).not.toContain('run-model');
  });

  it('uses a nonce instead, where there is one', () => {
    const html = renderPage({ script, style, nonce: 'bm9uY2U=' });
    expect(policyOf(html)).toContain("script-src 'nonce-bm9uY2U='; style-src 'nonce-bm9uY2U='");
    expect(html.match(/ nonce="bm9uY2U="/g)).toHaveLength(2);
  });
});
