/**
 * Progress on stderr, without colours: lines that stay, and on a terminal one that is written over, so that
 * nothing goes on for long in silence.
 */

const { stderr } = process;
let isLineOpen = false;

/** A line that stays. */
export function say(text) {
  clear();
  stderr.write(`${text}\n`);
}

/** What goes on at the moment, if anything does; only people who watch are told. */
export function sayForNow(text) {
  if (!stderr.isTTY) return;
  clear();
  stderr.write(text.slice(0, (stderr.columns || 80) - 1));
  isLineOpen = text !== '';
}

function clear() {
  if (isLineOpen) stderr.write('\r\u001b[K');
  isLineOpen = false;
}
