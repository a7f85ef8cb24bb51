/**
 * Scenarios from files: read as JSON and checked step by step, so that a typing error is told with its
 * place instead of running something else than was meant.
 */
import { CheckpointError } from '../errors.js';
import type { YamlValue } from '../format/yaml/yaml-value.js';
import { ruleFromJson } from '../io/fault-json.js';
import type { RuleData } from '../io/fault-rules.js';
import type { Asking, SaveStep, Scenario, ScenarioStep, TogetherStep } from './scenario.js';
import type { SealedWith } from './seal-promises.js';

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

/** Reads a rule for faults of the file system. @throws CheckpointError `INVALID_YAML` */
export function parseFaults(text: string): RuleData {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new CheckpointError('INVALID_YAML', 'The rule is not JSON.', {}, { cause });
  }
  return checkRule(value, 'the rule');
}

function checkScenario(value: unknown, path: string): Scenario {
  const {
    name = 'unnamed',
    file,
    files,
    externalEdits,
    maxCheckpoints,
    publish,
    faults,
    steps,
  } = record(value, path);
  if (typeof name !== 'string') throw wrong(`${path}.name`, 'a string');
  if (file !== undefined && typeof file !== 'string') throw wrong(`${path}.file`, 'a string');
  if (maxCheckpoints !== undefined && !isCount(maxCheckpoints)) {
    throw wrong(`${path}.maxCheckpoints`, 'an integer from 1');
  }
  const policy = oneOf(externalEdits, ['adopt', 'reject', 'restore'], `${path}.externalEdits`);
  if (!Array.isArray(steps)) throw wrong(`${path}.steps`, 'a list');
  return {
    name,
    ...(file !== undefined && { file }),
    ...(files !== undefined && { files: checkFiles(files, `${path}.files`) }),
    ...(isCount(maxCheckpoints) && { maxCheckpoints }),
    ...(policy !== undefined && { externalEdits: policy }),
    ...(publish !== undefined && { publish: checkPublish(publish, `${path}.publish`) }),
    ...(faults !== undefined && { faults: checkFaults(faults, `${path}.faults`) }),
    steps: steps.map((step, index) => checkStep(step, `${path}.steps[${index}]`)),
  };
}

function checkStep(value: unknown, path: string): ScenarioStep {
  const step = record(value, path);
  switch (step.do) {
    case 'together': {
      if (!Array.isArray(step.steps)) throw wrong(`${path}.steps`, 'a list');
      const { schedule } = step;
      if (schedule !== undefined && !Number.isSafeInteger(schedule)) {
        throw wrong(`${path}.schedule`, 'an integer');
      }
      const steps = step.steps.map((one, index) => checkCall(one, `${path}.steps[${index}]`));
      return { do: 'together', steps, ...(typeof schedule === 'number' && { schedule }) };
    }
    case 'edit': {
      const how = oneOf(step.how, ['inPlace', 'rename'], `${path}.how`);
      return {
        do: 'edit',
        text: text(step.text, `${path}.text`),
        ...(how !== undefined && { how }),
      };
    }
    case 'damage':
      return { do: 'damage', text: text(step.text, `${path}.text`) };
    case 'reopen':
    case 'flush':
      return { do: step.do };
    default:
      return checkSave(step, path);
  }
}

function checkPublish(value: unknown, path: string): NonNullable<Scenario['publish']> {
  const { afterSaves, afterBytes } = record(value, path);
  for (const [name, limit] of Object.entries({ afterSaves, afterBytes })) {
    if (limit !== undefined && !isCount(limit)) throw wrong(`${path}.${name}`, 'an integer from 1');
  }
  return {
    ...(isCount(afterSaves) && { afterSaves }),
    ...(isCount(afterBytes) && { afterBytes }),
  };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) > 0;
}

/** Files beside the checkpoint; a name that leads elsewhere is a slip, on a disk of the lab's own. */
function checkFiles(value: unknown, path: string): Readonly<Record<string, string>> {
  const files = Object.entries(record(value, path));
  const checked = files.map(([name, content]) => {
    if (/[/\\]/.test(name)) throw wrong(`${path}["${name}"]`, 'a plain file name');
    return [name, text(content, `${path}["${name}"]`)] as const;
  });
  return Object.fromEntries(checked);
}

function checkSealedWith(
  { label, pinned, artifacts }: Readonly<Record<string, unknown>>,
  path: string,
): SealedWith {
  if (pinned !== undefined && (pinned !== true || label === undefined)) {
    throw wrong(`${path}.pinned`, 'true, with a label');
  }
  if (artifacts !== undefined && !Array.isArray(artifacts)) {
    throw wrong(`${path}.artifacts`, 'a list');
  }
  const paths = artifacts?.map((one, index) => text(one, `${path}.artifacts[${index}]`));
  return {
    ...(label !== undefined && { label: text(label, `${path}.label`) }),
    ...(pinned === true && { pinned }),
    ...(paths !== undefined && { artifacts: paths }),
  };
}

function checkFaults(value: unknown, path: string): NonNullable<Scenario['faults']> {
  const { run, recovery } = record(value, path);
  return {
    ...(run !== undefined && { run: checkRule(run, `${path}.run`) }),
    ...(recovery !== undefined && { recovery: checkRule(recovery, `${path}.recovery`) }),
  };
}

function checkRule(value: unknown, path: string): RuleData {
  try {
    return ruleFromJson(value).toJSON();
  } catch (error) {
    throw wrong(path, `a rule for faults (${error instanceof Error ? error.message : error})`);
  }
}

function checkCall(value: unknown, path: string): TogetherStep {
  return record(value, path).do === 'close' ? { do: 'close' } : checkSave(value, path);
}

function checkAsking(step: Readonly<Record<string, unknown>>, path: string): Asking {
  const { durability, abort } = step;
  const found = oneOf(durability, ['logged', 'committed'], `${path}.durability`);
  if (abort !== undefined && abort !== true) throw wrong(`${path}.abort`, 'true');
  return {
    ...(found !== undefined && { durability: found }),
    ...(abort === true && { abort }),
    ...checkSealedWith(step, path),
  };
}

function checkSave(value: unknown, path: string): SaveStep {
  const step = record(value, path);
  const asking = checkAsking(step, path);
  switch (step.do) {
    case 'save':
      return { do: 'save', state: data(step.state, `${path}.state`), ...asking };
    case 'saveText':
      return { do: 'saveText', text: text(step.text, `${path}.text`), ...asking };
    case 'set':
      return {
        do: 'set',
        path: text(step.path, `${path}.path`),
        value: data(step.value, `${path}.value`),
        ...asking,
      };
    case 'update':
      if (typeof step.add !== 'number') throw wrong(`${path}.add`, 'a number');
      return { do: 'update', path: text(step.path, `${path}.path`), add: step.add, ...asking };
    default:
      throw wrong(
        `${path}.do`,
        'save, saveText, set, update, together, edit, damage, flush or reopen',
      );
  }
}

function text(value: unknown, path: string): string {
  if (typeof value !== 'string') throw wrong(path, 'a string');
  return value;
}

/** JSON is data already; only its absence has to be told. */
function data(value: unknown, path: string) {
  if (value === undefined) throw wrong(path, 'a value');
  return value as YamlValue;
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
