/**
 * What the plan in ORCHESTRATION.yaml looks like, as a Standard Schema without a library: the store
 * refuses every state that does not pass, whoever wrote it. And where in a plan things are.
 */
const STATUSES = ['PENDING', 'RUNNING', 'DONE', 'FAILED'];
const isName = (name) => typeof name === 'string' && /^[a-z0-9][a-z0-9-]*$/.test(name);
const isCount = (count) => Number.isSafeInteger(count) && count >= 0;

function issuesOf(plan) {
  const issues = [];
  const check = (isRight, message, path) => isRight || issues.push({ message, path });
  const checkList = (list, path, checkItem) => {
    check(Array.isArray(list) && list.length > 0, 'is a list that is not empty', path);
    const items = Array.isArray(list) ? list : [];
    for (const [index, item] of items.entries()) {
      const here = [...path, index];
      check(isName(item?.name), 'has a-z, 0-9 and dashes only', [...here, 'name']);
      check(STATUSES.includes(item?.status), 'is a status', [...here, 'status']);
      const isFirst = items.findIndex((other) => other?.name === item?.name) === index;
      check(isFirst, 'is there twice', [...here, 'name']);
      checkItem(item, here);
    }
  };
  check(STATUSES.includes(plan?.workflow?.status), 'is a status', ['workflow', 'status']);
  check(isCount(plan?.retry?.limit), 'is a number', ['retry', 'limit']);
  check(isCount(plan?.retry?.backoff_ms), 'is a number', ['retry', 'backoff_ms']);
  checkList(plan?.phases, ['phases'], (phase, path) =>
    checkList(phase?.agents, [...path, 'agents'], (agent, here) =>
      check(isCount(agent?.failures), 'is a number of attempts', [...here, 'failures']),
    ),
  );
  return issues;
}

export const planSchema = {
  '~standard': {
    version: 1,
    vendor: 'orchestrator',
    validate(plan) {
      const issues = issuesOf(plan);
      return issues.length > 0 ? { issues } : { value: plan };
    },
  },
};

/** Where the report of an agent lies, in the store's directory. */
export const reportOf = (phase, agent) => `reports/${phase.name}/${agent.name}.txt`;

/** Every agent of a plan, with its phase and its report. */
export const agentsOf = ({ phases }) =>
  phases.flatMap((phase) =>
    phase.agents.map((agent) => ({ phase, agent, report: reportOf(phase, agent) })),
  );

/** The reports that a plan says are there: these belong to its checkpoint. */
export const doneReports = (plan) =>
  agentsOf(plan).flatMap(({ agent, report }) => (agent.status === 'DONE' ? [report] : []));
