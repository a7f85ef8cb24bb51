/**
 * Scenarios from files: read as JSON and checked step by step, so that a typing error is told with its
 * place instead of running something else than was meant.
 */
import { CheckpointError } from '../errors.js';
import type { SaveStep, Scenario, ScenarioStep } from './scenario.js';

/** Reads one scenario or a list. @throws CheckpointError `INVALID_YAML`, with the path of what is wrong */
export function parseScenario(text: string): Scenario[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new CheckpointError('INVALID_YAML', 'The scenario is not JSON.', {}, { cause });
  }
  const list = Array.isArray(value) ? value : [value];
  return list.map((one, index) => checkScenario(one, Array.isArray(value) ? `[${index}]` : ''));
}

function checkScenario(value: unknown, path: string): Scenario {
  const { name = 'unnamed', file, externalEdits, steps } = record(value, path);
  if (typeof name !== 'string') throw wrong(`${path}.name`, 'a string');
  if (file !== undefined && typeof file !== 'string') throw wrong(`${path}.file`, 'a string');
  const policy = oneOf(externalEdits, ['adopt', 'reject', 'restore'], `${path}.externalEdits`);
  if (!Array.isArray(steps)) throw wrong(`${path}.steps`, 'a list');
  return {
    name,
    ...(file !== undefined && { file }),
    ...(policy !== undefined && { externalEdits: policy }),
    steps: steps.map((step, index) => checkStep(step, `${path}.steps[${index}]`)),
  };
}

function checkStep(value: unknown, path: string): ScenarioStep {
  const step = record(value, path);
  switch (step.do) {
    case 'together': {
      if (!Array.isArray(step.steps)) throw wrong(`${path}.steps`, 'a list');
      const steps = step.steps.map((one, index) => checkSave(one, `${path}.steps[${index}]`));
      return { do: 'together', steps };
    }
    case 'edit': {
      if (typeof step.text !== 'string') throw wrong(`${path}.text`, 'a string');
      const how = oneOf(step.how, ['inPlace', 'rename'], `${path}.how`);
      return { do: 'edit', text: step.text, ...(how !== undefined && { how }) };
    }
    case 'damage':
      if (typeof step.text !== 'string') throw wrong(`${path}.text`, 'a string');
      return { do: 'damage', text: step.text };
    case 'reopen':
      return { do: 'reopen' };
    default:
      return checkSave(step, path);
  }
}

function checkSave(value: unknown, path: string): SaveStep {
  const step = record(value, path);
  const found = oneOf(step.durability, ['logged', 'committed'], `${path}.durability`);
  const durability = found === undefined ? {} : { durability: found };
  switch (step.do) {
    case 'save':
      return { do: 'save', state: data(step.state, `${path}.state`), ...durability };
    case 'saveText':
      if (typeof step.text !== 'string') throw wrong(`${path}.text`, 'a string');
      return { do: 'saveText', text: step.text, ...durability };
    case 'set':
      if (typeof step.path !== 'string') throw wrong(`${path}.path`, 'a string');
      return {
        do: 'set',
        path: step.path,
        value: data(step.value, `${path}.value`),
        ...durability,
      };
    default:
      throw wrong(`${path}.do`, 'save, saveText, set, together, edit, damage or reopen');
  }
}

/** JSON is data already; only its absence has to be told. */
function data(value: unknown, path: string) {
  if (value === undefined) throw wrong(path, 'a value');
  return value as Extract<SaveStep, { do: 'save' }>['state'];
}

function record(value: unknown, path: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw wrong(path, 'an object');
  }
  return value as Readonly<Record<string, unknown>>;
}

function oneOf<Text extends string>(
  value: unknown,
  allowed: readonly Text[],
  path: string,
): Text | undefined {
  if (value === undefined) return undefined;
  const found = allowed.find((one) => one === value);
  if (found === undefined) throw wrong(path, allowed.join(' or '));
  return found;
}

function wrong(path: string, expected: string): CheckpointError {
  const where = path.replace(/^\./, '') || 'the scenario';
  return new CheckpointError('INVALID_YAML', `In the scenario, ${where} must be ${expected}.`, {
    path: where,
  });
}
