/**
 * Plans to run, drawn by a seed, and what has to come out of them: the whole file and every report, worked
 * out from the seed alone, by other means than the orchestrator's.
 */

const MODULUS = 1_000_003n;
const ROWS = 400;

/** Numbers from 0 to 1 by a seed, the same ones each time (mulberry32). */
export function randomOf(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A plan of so many phases. Every third agent fails at first. */
export function drawPlan(seed, phaseCount) {
  const random = randomOf(seed);
  const upTo = (most) => Math.floor(random() * (most + 1));
  const phases = Array.from({ length: phaseCount }, (_, at) => ({
    name: `phase-${at + 1}`,
    agents: Array.from({ length: 2 + upTo(2) }, (_, index) => ({
      name: `agent-${at + 1}-${index + 1}`,
      figure: upTo(1_000_000),
      workMs: 2 + upTo(30),
      failsFirst: upTo(2) === 0 ? 1 + upTo(1) : 0,
    })),
  }));
  return { seed, phases };
}

/** The text of a plan, before it was run or when all of it is done. */
export function textOf({ seed, phases }, { isDone = false, note = 0 } = {}) {
  const status = isDone ? 'DONE' : 'PENDING';
  const parts = phases.map(({ name, agents }, at) => {
    const entries = agents.map((agent) => {
      const { name: agentName, figure, workMs, failsFirst } = agent;
      const failures = isDone ? failsFirst : 0;
      const begin = `      - name: ${agentName}\n        status: ${status}      # of ${agentName}\n        failures: ${failures}`;
      const end = `        figure:   ${figure}\n        work_ms: ${workMs}`;
      return failsFirst > 0
        ? `${begin}\n${end}\n        fails_first: ${failsFirst}   # to see retries\n`
        : `${begin}\n\n${end}\n`;
    });
    return `  # ${at + 1} of ${phases.length}\n  - name: "${name}"\n    status: ${status} # after all of its agents\n    agents:\n${entries.join('')}`;
  });
  return `# A plan drawn by seed ${seed}; run by orchestrator.mjs
# note: ${note}
workflow:
  name: 'figures'
  status: ${status}        # PENDING | RUNNING | DONE | FAILED
retry: { limit: 2, backoff_ms: 2 }     # how often an agent is tried again, the wait before that

phases:
${parts.join('\n')}# the end
`;
}

// 31^k and 1 + 31 + … + 31^(k-1), exactly: row k of a report's table is their sum, weighted.
const powers = Array.from({ length: ROWS + 1 }, (_, k) => 31n ** BigInt(k));
const sums = powers.map((power) => (power - 1n) / 30n);

/** Every report that has to be there, by its path. */
export function reportsOf({ phases }) {
  const reports = new Map();
  let before = [];
  for (const { name, agents } of phases) {
    const sum = before.reduce((all, one) => all + one, 0n);
    const inputs = before.length;
    before = agents.map((agent) => {
      const total = (sum + BigInt(agent.figure)) % MODULUS;
      const rows = Array.from({ length: ROWS }, (_, row) => {
        const value = (powers[row + 1] * total + 7n * sums[row + 1]) % MODULUS;
        return String(value).padStart(7);
      });
      const lines = [
        `report of ${agent.name}`,
        `inputs: ${inputs}`,
        `total: ${total}`,
        ...rows,
        'end',
      ];
      reports.set(`reports/${name}/${agent.name}.txt`, `${lines.join('\n')}\n`);
      return total;
    });
  }
  return reports;
}
