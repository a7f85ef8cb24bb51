/** On what the benchmark ran: processor, memory, versions, and the file system below a folder. */
import { readFileSync, realpathSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release, totalmem, type } from 'node:os';

/** Everything that a reader needs to place the numbers. */
export function machineFacts(folder) {
  return {
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGb: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release()}`,
    node: process.version,
    /** Of the last minute: what others do, as long as the benchmark has not begun. */
    load: loadavg()[0],
    fileSystem: fileSystemOf(realpathSync(folder)),
  };
}

/** Type, device and options of the mount that a folder lies on, where the system tells (Linux). */
function fileSystemOf(folder) {
  try {
    const mounts = readFileSync('/proc/self/mounts', 'utf8').trimEnd().split('\n');
    const found = mounts
      .map((line) => line.split(' '))
      .filter(([, point]) => point === '/' || `${folder}/`.startsWith(`${point}/`))
      .sort(([, a], [, b]) => a.length - b.length)
      .at(-1);
    const [device, , kind, options] = found ?? [];
    return kind === undefined ? 'unknown' : `${kind} on ${device} (${options})`;
  } catch {
    return 'unknown';
  }
}

/** The facts in one line. */
export function describeMachine({ processor, cores, memoryGb, system, node, load, fileSystem }) {
  const busy = load === undefined ? '' : `, load ${load.toFixed(1)} when it began`;
  return `${processor}, ${cores} cores, ${memoryGb} GB, ${system}, node ${node}, ${fileSystem}${busy}`;
}
