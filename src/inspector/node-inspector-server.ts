/**
 * The inspector's HTTP server: one run, for the user of this machine only. Listens on 127.0.0.1; answers
 * only requests that carry the token of its URL, name this server as their host, and come from its own
 * page. Paths are looked up in a fixed table, so no path leads to a file. A reader of events that does
 * not keep up is dropped, and never holds up the run.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { RunMessage, RunModel } from './run-model.js';

/** What is served. */
export interface InspectorServerOptions {
  /** 0, the default, takes any that is free. */
  readonly port?: number | undefined;
  /** The page that loads `page.js`, `page.css`, `run.json` and `events`, each with this query. */
  readonly shell: (query: string) => string;
  readonly script: string;
  readonly style: string;
  /** The run as it is now; asked for at each request of `run.json`. */
  readonly model: () => RunModel;
  /** Whether the process stays alive for it; by default yes. */
  readonly keepsAlive?: boolean | undefined;
  /** Milliseconds between two signs of life on a stream of events: 15,000. */
  readonly heartbeatMs?: number;
  /** A reader is dropped once so many bytes wait for it: 1 MiB, and always more than a single message. */
  readonly maxBacklog?: number;
}

/** A server that listens. */
export interface InspectorServer {
  /** With the token: whoever has it sees the run. */
  readonly url: string;
  readonly port: number;
  /** Tells all pages that listen. */
  send(message: RunMessage): void;
  /** Ends all streams and connections. May be called twice. */
  close(): Promise<void>;
}

const HOST = '127.0.0.1';
const TOKEN_BYTES = 32;
const MAX_HEADERS = 8 * 1024;
const MAX_CONNECTIONS = 32;
const MAX_STREAMS = 8;
const HEARTBEAT_MS = 15_000;
const MAX_BACKLOG = 1024 * 1024;

/** What was sent between the reading of `run.json` and the opening of `events` is sent again. */
const REPLAYED = 200;

const FIXED_HEADERS = {
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cache-Control': 'no-store',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
} as const;

/** Starts the server. Rejects with node's error where the port is taken. */
export async function startInspectorServer(
  options: InspectorServerOptions,
): Promise<InspectorServer> {
  const token = randomBytes(TOKEN_BYTES).toString('base64url');
  const streams = new Set<ServerResponse>();
  const server = createServer({
    maxHeaderSize: MAX_HEADERS,
    requestTimeout: 10_000,
    connectionsCheckingInterval: 1000,
  });
  server.maxConnections = MAX_CONNECTIONS;
  // Who connects and asks nothing takes nobody's place for long.
  server.headersTimeout = 3000;
  server.keepAliveTimeout = 3000;
  const port = await listen(server, options.port ?? 0);
  if (options.keepsAlive === false) server.unref();
  const query = `?token=${token}`;
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const path = admit(request, response, token, port);
    if (path === undefined) return;
    try {
      answer(path, request, response, { ...options, query }, streams);
    } catch {
      // A run too large to be told must not end the program that is looked at.
      if (response.headersSent) response.destroy();
      else refuse(response, 500, 'The run could not be told');
    }
  });
  const maxBacklog = options.maxBacklog ?? MAX_BACKLOG;
  const write = (text: string) => {
    for (const stream of streams) {
      // A reader that lags behind is cut off here, not waited for.
      if (stream.writableLength > maxBacklog) stream.destroy();
      else stream.write(text);
    }
  };
  const heartbeat = setInterval(() => write(': alive\n\n'), options.heartbeatMs ?? HEARTBEAT_MS);
  heartbeat.unref();
  let closed: Promise<void> | undefined;
  return {
    url: `http://${HOST}:${port}/${query}`,
    port,
    send: (message) => write(eventText(message)),
    close: () => {
      clearInterval(heartbeat);
      closed ??= closeServer(server, streams);
      return closed;
    },
  };
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: HOST, port, exclusive: true }, () => {
      server.off('error', reject);
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}

function closeServer(server: Server, streams: ReadonlySet<ServerResponse>): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    for (const stream of streams) stream.end();
    server.closeAllConnections();
  });
}

/** The path that may be answered; otherwise the refusal is sent, and tells nothing. */
function admit(
  request: IncomingMessage,
  response: ServerResponse,
  token: string,
  port: number,
): string | undefined {
  const hosts = [`${HOST}:${port}`, `localhost:${port}`];
  const { host = '', origin } = request.headers;
  const [path = '', query = ''] = (request.url ?? '').split('?', 2);
  const given = new URLSearchParams(query).getAll('token');
  const isOurs =
    hosts.includes(host) &&
    (origin === undefined || origin === `http://${host}`) &&
    given.length === 1 &&
    isSame(given[0] ?? '', token);
  if (!isOurs) return refuse(response, 403, 'Forbidden');
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('Allow', 'GET, HEAD');
    return refuse(response, 405, 'Only GET and HEAD');
  }
  const { 'content-length': length, 'transfer-encoding': encoding } = request.headers;
  if (encoding !== undefined || (length !== undefined && length !== '0')) {
    return refuse(response, 413, 'No request has a body');
  }
  return path;
}

/** Takes the same time wherever the texts differ, and whatever their lengths. */
function isSame(given: string, token: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(token));
}

/** Also ends the connection: what else it was about to send is not read. */
function refuse(response: ServerResponse, status: number, message: string): undefined {
  response.writeHead(status, {
    ...headers('text/plain'),
    Connection: 'close',
  });
  response.end(`${message}\n`);
}

function answer(
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
  options: InspectorServerOptions & { readonly query: string },
  streams: Set<ServerResponse>,
): void {
  const send = (type: string, text: string) => {
    const length = Buffer.byteLength(text);
    response.writeHead(200, { ...headers(type), 'Content-Length': length });
    response.end(request.method === 'HEAD' ? undefined : text);
  };
  switch (path) {
    case '/':
      send('text/html', options.shell(options.query));
      break;
    case '/page.js':
      send('text/javascript', options.script);
      break;
    case '/page.css':
      send('text/css', options.style);
      break;
    case '/run.json':
      send('application/json', JSON.stringify(options.model()));
      break;
    case '/events':
      openStream(request, response, options, streams);
      break;
    default:
      refuse(response, 404, 'Not found');
  }
}

function openStream(
  request: IncomingMessage,
  response: ServerResponse,
  options: InspectorServerOptions,
  streams: Set<ServerResponse>,
): void {
  if (streams.size >= MAX_STREAMS) {
    refuse(response, 503, 'Too many pages are open');
    return;
  }
  // Pages know entries by their numbers, and take each once.
  const entries = options.model().entries.slice(-REPLAYED);
  response.writeHead(200, headers('text/event-stream'));
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  streams.add(response);
  response.on('close', () => streams.delete(response));
  response.on('error', () => streams.delete(response));
  response.write(eventText({ kind: 'entries', entries }));
}

function eventText(message: RunMessage): string {
  return `data: ${JSON.stringify(message)}\n\n`;
}

function headers(type: string): Record<string, string> {
  return {
    ...FIXED_HEADERS,
    'Content-Type': `${type}; charset=utf-8`,
    'Content-Security-Policy': [
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "connect-src 'self'",
      "img-src 'self' data:",
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ].join('; '),
  };
}
