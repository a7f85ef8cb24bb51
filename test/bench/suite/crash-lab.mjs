/**
 * How many crash images the lab checks for each second of processor time, in a process of its own. Run
 * as a program it prints the numbers for the milliseconds given.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { labScenarios, runLab } from 'checkpoint-wal/testing';

const program = fileURLToPath(import.meta.url);

/** @returns `{ images, distinct, cpuSeconds, imagesPerCpuSecond, distinctPerCpuSecond }` */
export function measureCrashLab(timeMs) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, String(timeMs)], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`the crash lab failed: ${stderr}`);
  return JSON.parse(stdout);
}

async function explore(timeMs) {
  const cpu = process.cpuUsage();
  const { counts } = await runLab({
    scenarios: labScenarios,
    models: ['posix-minimal', 'ordered'],
    seed: 1,
    depth: 2,
    // As `checkpoint-wal explore` does.
    imagesPerMoment: [64, 8],
    failuresMax: 1,
    timeMs,
  });
  const { user, system } = process.cpuUsage(cpu);
  const cpuSeconds = (user + system) / 1e6;
  const { images, distinct } = counts;
  return {
    ...counts,
    cpuSeconds,
    imagesPerCpuSecond: images / cpuSeconds,
    distinctPerCpuSecond: distinct / cpuSeconds,
  };
}

if (process.argv[1] === program)
  console.log(JSON.stringify(await explore(Number(process.argv[2]))));
