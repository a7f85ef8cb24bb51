/**
 * What an agent does; put your own here. This one adds up the totals of the reports before it and works
 * out a table from the sum, slowly. All it knows comes from its arguments, so that the same attempt made
 * again writes the same bytes: that is what makes it safe to kill.
 */
import { setTimeout as wait } from 'node:timers/promises';

const MODULUS = 1_000_003;
const TABLE_ROWS = 400;
const PIECES = 4;

/**
 * The report of one agent, in pieces.
 * @param {{ name: string, figure: number, work_ms: number, fails_first?: number, failures: number }} agent
 * @param {string[]} inputs the reports of the phase before
 * @param {AbortSignal} signal ends the work
 */
export async function* work(agent, inputs, signal) {
  await wait(agent.work_ms, undefined, { signal });
  if (agent.failures < (agent.fails_first ?? 0)) throw new Error(`${agent.name} could not do it`);
  const totals = inputs.map((text) => Number(/^total: (\d+)$/m.exec(text)[1]));
  const total = totals.reduce((sum, one) => (sum + one) % MODULUS, agent.figure);
  yield `report of ${agent.name}\ninputs: ${inputs.length}\ntotal: ${total}\n`;
  let value = total;
  for (let piece = 0; piece < PIECES; piece += 1) {
    let rows = '';
    for (let row = 0; row < TABLE_ROWS / PIECES; row += 1) {
      value = (value * 31 + 7) % MODULUS;
      rows += `${String(value).padStart(7)}\n`;
    }
    yield rows;
    await wait(1, undefined, { signal });
  }
  yield 'end\n';
}
