/**
 * What the API reference needs beyond typedoc's options: themes, readable machines, and a check that
 * every member of a public class or interface is documented. Loaded by `typedoc.json`.
 */
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { Application, CommentTag, Converter, ReferenceType, ReflectionKind } from 'typedoc';

/** For each theme the files whose exports belong to it. */
const themes = JSON.parse(readFileSync(new URL('reference-themes.json', import.meta.url), 'utf8'));

/** @param {Application} app */
export function load(app) {
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const exported of exportsOf(project)) {
      shortenMachine(project, exported);
      addTheme(exported);
    }
  });
  app.on(Application.EVENT_VALIDATE_PROJECT, (project) => {
    for (const exported of exportsOf(project)) {
      if (themeOf(exported) === undefined) {
        app.logger.warn(
          `${placeOf(exported)} has no theme: name its file in scripts/reference-themes.json`,
        );
      }
      checkMembers(app, exported);
    }
  });
}

/** What an entry point exports under its own name. */
function exportsOf(project) {
  const modules = project.getReflectionsByKind(ReflectionKind.SomeModule);
  // A single entry point is the project itself.
  return (modules.length === 0 ? [project] : modules).flatMap(({ children }) =>
    (children ?? []).filter((child) => !child.isReference()),
  );
}

/** The type of a machine spells out each state and action: a hundred pages that say less than its chart. */
function shortenMachine(project, exported) {
  for (const reflection of [exported, ...(exported.children ?? [])]) {
    const { type } = reflection;
    if (type?.type !== 'reference' || !['StateMachine', 'Actor'].includes(type.name)) continue;
    project.removeTypeReflections(type);
    reflection.type = ReferenceType.createBrokenReference(type.name, project, 'xstate');
  }
}

function themeOf(exported) {
  const file = fileOf(exported);
  return Object.keys(themes).find((name) => themes[name].includes(file));
}

function addTheme(exported) {
  const theme = themeOf(exported) ?? 'Other';
  for (const { comment } of [exported, ...(exported.signatures ?? [])]) {
    comment?.blockTags.push(new CommentTag('@category', [{ kind: 'text', text: theme }]));
  }
}

function checkMembers(app, exported) {
  if (!exported.kindOf(ReflectionKind.ClassOrInterface)) return;
  for (const member of exported.children ?? []) {
    // Methods and constructors are asked for by `requiredToBeDocumented`.
    if (member.signatures !== undefined || member.inheritedFrom) continue;
    if (member.hasComment() || member.getSignature?.hasComment()) continue;
    app.logger.warn(
      `${placeOf(member)} has no docstring: say what it holds or guarantees, its unit, its error codes`,
    );
  }
}

const fileOf = (reflection) =>
  relative(process.cwd(), reflection.sources?.[0]?.fullFileName ?? '').replaceAll('\\', '/');

const placeOf = (reflection) =>
  `${fileOf(reflection)}:${reflection.sources?.[0]?.line ?? 1} ${reflection.getFullName()}`;
