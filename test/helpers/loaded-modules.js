// Says which modules a process loads: `node --import loaded-modules.js FILE` prints each one's address on
// stderr, a line each.
import { register } from 'node:module';

const hooks = `export async function load(url, context, next) {
  process._rawDebug('loaded ' + url);
  return await next(url, context);
}`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);
