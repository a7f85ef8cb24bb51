/**
 * The command `machines`: what it prints is the machines that run, and its JSON makes them again.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type AnyStateMachine, createMachine } from 'xstate';
import { machineDiagrams } from '../../../src/inspector/machine-diagrams.js';
import { edgeKey, graphOf } from '../../../src/inspector/machine-graph.js';
import { toMermaid } from '../../../src/inspector/machine-graph-mermaid.js';
import { runInMemory } from '../../helpers/cli-run.js';
import { freshFolder } from '../../helpers/temporary-folders.js';

const diagrams = machineDiagrams();
const names = diagrams.map(({ name }) => name);

async function jsonOf(...args: string[]): Promise<unknown> {
  const { stdout, stderr, exitCode } = await runInMemory(['machines', ...args]);
  expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
  return JSON.parse(stdout);
}

describe('machines', () => {
  it('lists every machine with its counts, one a line', async () => {
    const { stdout, exitCode } = await runInMemory(['machines']);
    expect(exitCode).toBe(0);
    const lines = stdout.trimEnd().split('\n');
    expect(lines.map((line) => line.split(' ')[0])).toEqual(names);
    for (const [index, { machine, title }] of diagrams.entries()) {
      const { states, edges } = graphOf(machine);
      expect(lines[index]).toContain(` ${states.length} states `);
      expect(lines[index]).toContain(` ${edges.length} transitions `);
      expect(lines[index]).toContain(title);
    }
  });

  it('lists the names of events, guards, actions and actors as JSON', async () => {
    const { machines } = (await jsonOf('--json')) as {
      machines: { name: string; events: string[]; guards: string[]; invokes: string[] }[];
    };
    expect(machines.map(({ name }) => name)).toEqual(names);
    const write = machines.find(({ name }) => name === 'write');
    expect(write?.events).toContain('syncWal.done');
    expect(write?.guards).toContain('isCurrent');
    expect(machines.find(({ name }) => name === 'recovery')?.invokes).toContain('write');
  });

  it('prints one as Mermaid text, as the documents show it', async () => {
    const [first] = diagrams;
    if (first === undefined) throw new Error('there is none');
    const { stdout } = await runInMemory(['machines', first.name]);
    expect(stdout).toBe(toMermaid(first));
    expect(await jsonOf(first.name, '--json')).toEqual({
      name: first.name,
      format: 'mermaid',
      text: stdout,
    });
  });

  it.each(diagrams)(
    'prints JSON from which XState makes the same $name machine',
    async ({ name, machine }) => {
      const definition = await jsonOf(name, '--format', 'json');
      const made: AnyStateMachine = createMachine(definition as object);
      const [is, was] = [graphOf(made), graphOf(machine)];
      expect(is.id).toBe(was.id);
      expect(is.states).toEqual(was.states);
      expect(is.edges.map(edgeKey)).toEqual(was.edges.map(edgeKey));
      expect(is.edges.map(({ actions }) => actions)).toEqual(
        was.edges.map(({ actions }) => actions),
      );
    },
  );

  it.each(diagrams)('gives every state and arrow of the $name picture an id', async (diagram) => {
    const { name, states, arrows } = diagram;
    const { stdout: svg } = await runInMemory(['machines', name, '--format', 'svg']);
    const groups = [...svg.matchAll(/<g id="([^"]+)" class="([^"]+)"/g)].map(
      ([, id = '', classes = '']) => ({
        id: id.replaceAll('&#45;', '-').replaceAll('&gt;', '>'),
        classes: classes.split(' '),
      }),
    );
    expect(new Set(groups.map(({ id }) => id)).size).toBe(groups.length);
    const idsOf = (kind: string) =>
      groups.filter(({ classes }) => classes.includes(kind)).map(({ id }) => id);
    expect(idsOf('state').sort()).toEqual(states.map(({ path }) => `${name}:${path}`).sort());
    expect(idsOf('arrow')).toHaveLength(arrows.length);
    const plain = new Set(arrows.map(({ source, target }) => `${name}:${source}->${target}`));
    expect(idsOf('arrow')).toEqual(expect.arrayContaining([...plain]));
  });

  it.each([
    ['svg', 'svg', /^<\?xml[\s\S]*<\/svg>\n$/],
    ['mermaid', 'mmd', /^---\ntitle/],
    ['json', 'json', /^\{\n {2}"id"/],
  ])('writes all as %s into a directory that it makes', async (format, ending, looks) => {
    const cwd = freshFolder();
    const args = ['machines', '--format', format, '--out', 'new/place', '--json'];
    const { stdout, exitCode } = await runInMemory(args, { cwd });
    expect(exitCode).toBe(0);
    const place = join(cwd, 'new/place');
    const files = names.map((name) => join(place, `${name}.${ending}`));
    expect(JSON.parse(stdout)).toEqual({ format, files });
    expect(readdirSync(place).length).toBe(files.length);
    for (const file of files) expect(readFileSync(file, 'utf8')).toMatch(looks);
  });

  it('says which machines there are when a name is none, with exit code 2', async () => {
    const { stderr, stdout, exitCode } = await runInMemory(['machines', 'writer']);
    expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 2 });
    expect(stderr).toContain('There is no machine "writer"');
    for (const name of names) expect(stderr).toContain(name);
  });

  it('refuses to print several pictures into one stream, with exit code 2', async () => {
    const { stdout, exitCode } = await runInMemory(['machines', '--format', 'svg']);
    expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 2 });
  });

  it('says so where the directory is a file, with exit code 1', async () => {
    const cwd = freshFolder();
    writeFileSync(join(cwd, 'taken'), '');
    const { stderr, exitCode } = await runInMemory(['machines', '--out', 'taken'], { cwd });
    expect(exitCode).toBe(1);
    expect(stderr).toContain('error WRITE_FAILED');
    expect(existsSync(join(cwd, 'taken', 'write.mmd'))).toBe(false);
  });
});
