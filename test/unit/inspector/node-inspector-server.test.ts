/**
 * The inspector's server as a stranger meets it: on the same machine, from another site, with a slow
 * connection; and as its own page does.
 */
import { type IncomingHttpHeaders, request } from 'node:http';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type InspectorServer,
  type InspectorServerOptions,
  startInspectorServer,
} from '../../../src/inspector/node-inspector-server.js';
import type { RunModel } from '../../../src/inspector/run-model.js';

const SECRET = 'text-of-a-checkpoint';
const model: RunModel = {
  version: 1,
  title: 'a run',
  source: 'live',
  machines: [],
  entries: [],
  checkpoints: [{ sequence: 1, size: 1, text: SECRET }],
};
const options: InspectorServerOptions = {
  shell: (query) => `<script src="page.js${query}"></script>`,
  script: SECRET,
  style: SECRET,
  model: () => model,
};

let server: InspectorServer;
let query: string;

beforeEach(async () => {
  server = await startInspectorServer(options);
  query = new URL(server.url).search;
});
afterEach(() => server.close());

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

function ask(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request(
      { host: '127.0.0.1', port: server.port, path, headers, method },
      (got) => {
        let body = '';
        got.setEncoding('utf8');
        got.on('data', (text: string) => {
          body += text;
        });
        got.on('end', () => resolve({ status: got.statusCode ?? 0, headers: got.headers, body }));
      },
    );
    asked.on('error', reject);
    asked.end();
  });
}

/** Whether a connection is taken there at all. */
function reaches(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

describe('a server of the inspector', () => {
  it.each(['/', '/page.js', '/page.css', '/run.json', '/events', '/nowhere'])(
    'refuses %s without its whole token, and tells nothing',
    async (path) => {
      const token = query.slice('?token='.length);
      const wrong = ['', '?', '?token=', `?token=${token.slice(1)}`, `?token=${token}x`];
      wrong.push(`?Token=${token}`, `?token=x&token=${token}`, `?token=${'A'.repeat(43)}`);
      for (const search of wrong) {
        const { status, body } = await ask(`${path}${search}`);
        expect([search, status, body]).toEqual([search, 403, 'Forbidden\n']);
      }
    },
  );

  it('has a token of 256 bits, another for each server', async () => {
    const other = await startInspectorServer(options);
    expect(Buffer.from(query.slice('?token='.length), 'base64url')).toHaveLength(32);
    expect(new URL(other.url).search).not.toBe(query);
    await other.close();
  });

  it.each([
    'evil.example',
    'evil.example:80',
    '127.0.0.1',
    'localhost:1',
    '[::1]:80',
    '0.0.0.0:80',
  ])('refuses the host %s, also with the token', async (host) => {
    expect(await ask(`/run.json${query}`, { host })).toMatchObject({ status: 403 });
  });

  it.each(['http://evil.example', 'null', 'http://localhost', 'https://127.0.0.1'])(
    'refuses the origin %s, also with the token',
    async (origin) => {
      expect(await ask(`/run.json${query}`, { origin })).toMatchObject({ status: 403 });
    },
  );

  it('answers its own page under both of its names', async () => {
    for (const host of [`127.0.0.1:${server.port}`, `localhost:${server.port}`]) {
      const { status, body } = await ask(`/run.json${query}`, { host, origin: `http://${host}` });
      expect(status).toBe(200);
      expect(JSON.parse(body)).toEqual(model);
    }
  });

  it.each(['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'])('refuses %s', async (method) => {
    expect(await ask(`/run.json${query}`, {}, method)).toMatchObject({ status: 405 });
    expect(await ask('/run.json', {}, method)).toMatchObject({ status: 403 });
  });

  it('answers HEAD without a body', async () => {
    expect(await ask(`/run.json${query}`, {}, 'HEAD')).toMatchObject({ status: 200, body: '' });
  });

  it.each(['/../package.json', '/%2e%2e/package.json', '//etc/passwd', '/page.js/', '/page'])(
    'knows no path but its own: %s',
    async (path) => {
      expect(await ask(`${path}${query}`)).toMatchObject({ status: 404, body: 'Not found\n' });
    },
  );

  it('sends strict headers with every answer, refusals too', async () => {
    for (const path of [`/${query}`, `/run.json${query}`, `/nowhere${query}`, '/']) {
      const { headers } = await ask(path);
      expect(headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'cache-control': 'no-store',
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-resource-policy': 'same-origin',
      });
      const policy = String(headers['content-security-policy']);
      expect(policy).toMatch(/^default-src 'none'; script-src 'self'/);
      expect(policy).not.toContain('unsafe');
      expect(policy).toContain("frame-ancestors 'none'");
    }
  });

  it('gives its page the query that its other requests need, and lets no inline script run', async () => {
    const { body, headers } = await ask(`/${query}`);
    expect(body).toContain(`page.js${query}`);
    const policy = String(headers['content-security-policy']);
    expect(policy).toMatch(/script-src 'self';/);
  });

  it('answers a run that can not be told with an error, and goes on', async () => {
    await server.close();
    let isTooLarge = true;
    const tell = (): RunModel => {
      if (isTooLarge) throw new RangeError('Invalid string length');
      return model;
    };
    server = await startInspectorServer({ ...options, model: tell });
    query = new URL(server.url).search;
    for (const path of ['/run.json', '/events']) {
      expect(await ask(`${path}${query}`)).toMatchObject({ status: 500 });
    }
    isTooLarge = false;
    expect(await ask(`/run.json${query}`)).toMatchObject({ status: 200 });
  });

  it('refuses a request with a body, and one with huge headers', async () => {
    expect(await ask(`/${query}`, { 'content-length': '1' })).toMatchObject({ status: 413 });
    expect(await ask(`/${query}`, { 'x-big': 'x'.repeat(20_000) })).toMatchObject({ status: 431 });
  });

  it('is not to be reached by IPv6 or from the network', async () => {
    expect(await reaches('127.0.0.1', server.port)).toBe(true);
    const addresses = Object.values(networkInterfaces())
      .flatMap((list) => list ?? [])
      .map(({ address }) => address)
      .filter((address) => address !== '127.0.0.1');
    for (const host of ['::1', ...addresses]) {
      expect([host, await reaches(host, server.port)]).toEqual([host, false]);
    }
  });

  it('rejects where the port is taken', async () => {
    await expect(startInspectorServer({ ...options, port: server.port })).rejects.toMatchObject({
      code: 'EADDRINUSE',
    });
  });
});

/** A page that listens; `read` is all that came. */
function listenTo(to: InspectorServer) {
  const { search } = new URL(to.url);
  const socket = connect({ host: '127.0.0.1', port: to.port });
  const page = {
    socket,
    read: '',
    ended: new Promise<void>((end) => socket.on('close', () => end())),
  };
  socket.on('error', () => {});
  socket.setEncoding('utf8');
  socket.on('data', (text: string) => {
    page.read += text;
  });
  socket.write(`GET /events${search} HTTP/1.1\r\nHost: 127.0.0.1:${to.port}\r\n\r\n`);
  return page;
}

async function until(isSo: () => boolean): Promise<void> {
  const end = Date.now() + 4000;
  while (!isSo() && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(isSo()).toBe(true);
}

describe('a stream of events', () => {
  it('begins with what has happened, and tells what happens', async () => {
    const page = listenTo(server);
    await until(() => page.read.includes('"kind":"entries"'));
    server.send({ kind: 'ended', message: 'the run is over' });
    await until(() => page.read.includes('data: {"kind":"ended","message":"the run is over"}\n\n'));
  });

  it('shows signs of life', async () => {
    const lively = await startInspectorServer({ ...options, heartbeatMs: 5 });
    const page = listenTo(lively);
    await until(() => page.read.includes(': alive'));
    await lively.close();
  });

  it('drops a reader that does not keep up, and no other', async () => {
    const slow = listenTo(server);
    const quick = listenTo(server);
    await until(() => slow.read.includes('entries') && quick.read.includes('entries'));
    slow.socket.pause();
    let dropped = false;
    slow.socket.on('close', () => {
      dropped = true;
    });
    const message = 'x'.repeat(500_000);
    for (let sent = 0; sent < 40; sent += 1) {
      const before = quick.read.length;
      server.send({ kind: 'ended', message });
      await until(() => quick.read.length >= before + message.length);
    }
    slow.socket.resume();
    await until(() => dropped);
    expect(slow.read.length).toBeLessThan(20_000_000);
    expect(quick.socket.destroyed).toBe(false);
  });

  it('allows only so many pages', async () => {
    const pages = Array.from({ length: 8 }, () => listenTo(server));
    await until(() => pages.every(({ read }) => read.includes('entries')));
    expect(await ask(`/events${query}`)).toMatchObject({ status: 503 });
  });

  it('ends when the server closes, which does not wait for it', async () => {
    const page = listenTo(server);
    await until(() => page.read.includes('entries'));
    await server.close();
    await page.ended;
    await server.close();
    expect(await reaches('127.0.0.1', server.port)).toBe(false);
  });
});
