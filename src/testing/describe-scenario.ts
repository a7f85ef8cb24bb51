/**
 * A scenario in words, for traces and for people.
 */
import { printYaml } from '../format/yaml/yaml-edit.js';
import { ruleOf } from '../io/fault-rules.js';
import type { Scenario, ScenarioStep, TogetherStep } from './scenario.js';

/** A step as one line. */
export function describeStep(step: ScenarioStep | TogetherStep): string {
  switch (step.do) {
    case 'save':
      return `save ${printYaml(step.state).trim()}${asking(step)}`;
    case 'saveText':
      return `saveText ${JSON.stringify(step.text)}${asking(step)}`;
    case 'set':
      return `set ${step.path} ${printYaml(step.value).trim()}${asking(step)}`;
    case 'update':
      return `update ${step.path} by ${step.add}${asking(step)}`;
    case 'together': {
      const when = step.schedule === undefined ? '' : `, in the order of seed ${step.schedule}`;
      return `together${when}: ${step.steps.map(describeStep).join('; ')}`;
    }
    case 'edit':
      return `edit ${step.how ?? 'inPlace'} ${JSON.stringify(step.text)}`;
    case 'damage':
      return `damage ${JSON.stringify(step.text)}`;
    case 'close':
    case 'flush':
    case 'reopen':
      return step.do;
  }
}

function asking({ durability, abort }: { durability?: string; abort?: true }): string {
  return `${durability === undefined ? '' : ` (${durability})`}${abort === true ? ', aborted' : ''}`;
}

/** The faults of a scenario as lines: the rules as the code that makes them. */
export function describeFaults({ faults = {} }: Scenario): string[] {
  const { run, recovery } = faults;
  return [
    ...(run === undefined ? [] : [`faults of the run: ${ruleOf(run)}`]),
    ...(recovery === undefined ? [] : [`faults of the first recovery: ${ruleOf(recovery)}`]),
  ];
}
