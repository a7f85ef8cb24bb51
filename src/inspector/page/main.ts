/**
 * Starts the page: loads the run, shows it, and listens on if it still goes on.
 */
import { App } from './app.js';
import { make } from './dom.js';
import { listen, loadModel } from './model-source.js';
import { restoreTheme } from './theme.js';

restoreTheme();

try {
  const model = await loadModel();
  document.title = `${model.title} · checkpoint-wal`;
  const app = new App(model);
  document.body.replaceChildren(app.element);
  if (model.source === 'live') {
    listen(
      (message) => app.take(message),
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
