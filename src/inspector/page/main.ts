/**
 * Starts the page: loads the run, shows it, and listens on if it still goes on.
 */
import type { RunMessage } from '../run-model.js';
import { App } from './app.js';
import { make } from './dom.js';
import { listen, loadModel } from './model-source.js';
import { restoreTheme } from './theme.js';

restoreTheme();

async function catchUp(app: App): Promise<void> {
  try {
    const { entries, checkpoints } = await loadModel();
    app.take({ kind: 'entries', entries });
    for (const checkpoint of checkpoints) app.take({ kind: 'checkpoint', checkpoint });
  } catch {
    // The server is gone; the page says so by itself.
  }
}

/** Messages are taken one after the other: what was missed is asked for first. */
let taken: Promise<void> = Promise.resolve();

function takeInOrder(app: App, message: RunMessage): Promise<void> {
  taken = taken.then(async () => {
    if (app.hasMissed(message)) await catchUp(app);
    app.take(message);
  });
  return taken;
}

try {
  const model = await loadModel();
  document.title = `${model.title} · checkpoint-wal`;
  const app = new App(model);
  document.body.replaceChildren(app.element);
  if (model.source === 'live') {
    listen(
      (message) => void takeInOrder(app, message),
      (isConnected) => app.setConnected(isConnected),
    );
  }
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  const attributes = { role: 'alert' };
  document.body.replaceChildren(
    make('p', { class: 'startup', text: `The run can't be shown. ${message}`, attributes }),
  );
}
