/**
 * The statecharts as pictures, for the inspector's page and the command line: rendered when the package
 * is built, read from `dist/`; from `docs/diagrams/` where it is not built. Reads those files only, each time it is asked.
 */
import { existsSync, readFileSync } from 'node:fs';
import { packageFile } from '../io/node-package.js';
import { machineDiagrams } from './machine-diagrams.js';
import type { MachineDrawing } from './run-model.js';

const places = ['dist/inspector/diagrams/', 'docs/diagrams/'];

/** Every statechart of this package, drawn. @throws Error where the package is incomplete */
export function readDrawings(): MachineDrawing[] {
  return machineDiagrams().map(({ name, title, states }) => ({
    name,
    title,
    svg: readSvg(name),
    failureStates: states.filter(({ role }) => role === 'failure').map(({ path }) => path),
  }));
}

function readSvg(name: string): string {
  const files = places.map((place) => packageFile(`${place}${name}.svg`));
  const file = files.find((url) => existsSync(url));
  if (file === undefined) throw new Error(`the picture of the ${name} machine is missing`);
  return readFileSync(file, 'utf8');
}
