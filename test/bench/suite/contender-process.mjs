/**
 * One contender on one workload, in a process of its own: what it costs in memory, processor time and
 * garbage is its own, and only one process of all works at a time. Talks to `contender-client.mjs`.
 */
import { mkdirSync } from 'node:fs';
import { contenders } from '../contenders/index.mjs';
import { Meter } from './measure.mjs';
import { loadState } from './states.mjs';

const { who, workload, directory } = JSON.parse(process.argv[2]);
/** So long or so often each is repeated before it counts, so that what is measured is compiled code. */
const WARM_UP_COUNT = 5000;

async function begin() {
  mkdirSync(directory, { recursive: true });
  const { does, state, change } = workload;
  const subject = await contenders[who][does]({
    directory,
    state: loadState(state),
    change,
    // Where saves take long, history is not pruned either while they are measured.
    patienceMs: workload.warmUpMs,
  });
  const meter = new Meter(subject);
  const { callers, warmUpMs } = workload;
  await meter.warmUp({ count: WARM_UP_COUNT, budgetMs: warmUpMs, callers });
  await subject.settle?.();
  return { subject, meter };
}

const begun = begin();

async function answer(request) {
  const { subject, meter } = await begun;
  if (request === 'begin') return { calls: subject.calls };
  if (request === 'batch') return meter.batch(workload);
  if (request === 'watchLoop') {
    await meter.watchLoop({ ...workload, count: Math.ceil(workload.count / 2) });
    return {};
  }
  await subject.close();
  return { loopDelayMs: meter.loopDelayMs, maxRssMb: process.resourceUsage().maxRSS / 1024 };
}

// Nobody is left to answer to.
process.on('disconnect', () => process.exit());
process.on('message', (request) => {
  answer(request).then(
    (result) => process.send({ result }),
    (error) => process.send({ error: error.message }),
  );
});
