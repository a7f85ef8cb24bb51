/**
 * Where the run comes from: embedded in the file, or asked of the server that served the page. Each
 * request carries the query of the page's own address, where the token is.
 */
import type { RunMessage, RunModel } from '../run-model.js';

/** The element that holds an embedded model. */
const EMBEDDED = 'run-model';

/** The model to begin with. */
export async function loadModel(): Promise<RunModel> {
  const embedded = document.getElementById(EMBEDDED)?.textContent;
  if (embedded) return asModel(JSON.parse(embedded));
  const answer = await fetch(`run.json${location.search}`);
  if (!answer.ok) throw new Error(`The inspector answered ${answer.status} ${answer.statusText}.`);
  return asModel(await answer.json());
}

/** Listens to a run that goes on. `connected` tells whether one is still being told. */
export function listen(
  take: (message: RunMessage) => void,
  connected: (isConnected: boolean) => void,
): void {
  const events = new EventSource(`events${location.search}`);
  events.addEventListener('open', () => connected(true));
  events.addEventListener('error', () => connected(false));
  events.addEventListener('message', ({ data }) => {
    const message = JSON.parse(String(data)) as RunMessage;
    take(message);
    if (message.kind === 'ended') events.close();
  });
}

function asModel(value: unknown): RunModel {
  const version =
    typeof value === 'object' && value !== null && 'version' in value ? value.version : undefined;
  if (version !== 1)
    throw new Error(`This page reads models of version 1, not ${String(version)}.`);
  return value as RunModel;
}
