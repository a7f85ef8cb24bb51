/**
 * Building the API reference without writing it, and what it has to complain about: broken links, types
 * that nobody can import, exports and members without a docstring. Configured by `typedoc.jsonc`.
 */
import { fileURLToPath } from 'node:url';
import { Application, Logger, LogLevel, TSConfigReader, TypeDocReader } from 'typedoc';

const root = fileURLToPath(new URL('../..', import.meta.url));

class Complaints extends Logger {
  readonly found: string[] = [];

  override log(message: string, level: LogLevel): void {
    if (level >= LogLevel.Warn) this.found.push(message);
  }
}

/** All complaints about the sources as they are, or with other entry points. */
export async function referenceComplaints(entryPoints?: readonly string[]): Promise<string[]> {
  const options = {
    options: root,
    skipErrorChecking: true,
    ...(entryPoints && { entryPoints: [...entryPoints] }),
  };
  const app = await Application.bootstrapWithPlugins(options, [
    new TypeDocReader(),
    new TSConfigReader(),
  ]);
  const complaints = new Complaints();
  app.logger = complaints;
  const project = await app.convert();
  if (project === undefined) throw new Error(complaints.found.join('\n'));
  app.validate(project);
  return complaints.found;
}
