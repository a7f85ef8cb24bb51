// A process that takes a lock, for tests of what happens between processes.
// Arguments: module to import createNodeLocks from, lock path, kind, role, rounds.
import fs from 'node:fs';
import { pathToFileURL } from 'node:url';

const [modulePath, lockPath, kind, role, rounds] = process.argv.slice(2);
const { createNodeLocks } = await import(pathToFileURL(modulePath).href);
const locks = createNodeLocks({ kind });
const say = (value) => fs.writeSync(1, `${JSON.stringify(value)}\n`);

if (role === 'hold') {
  const result = locks.lock(lockPath);
  say({ acquired: result.acquired, kind: result.lock?.kind, holder: result.holder });
  process.stdin.resume();
  process.stdin.on('end', () => {
    result.lock?.release();
    process.exit(0);
  });
} else {
  say({ ready: true });
  contend(Number(rounds));
}

/** Takes the lock `wanted` times; gives it up as a crash would leave it, and by releasing it, in turn. */
function contend(wanted) {
  let taken = 0;
  const violations = [];
  const deadline = Date.now() + 20_000;
  while (taken < wanted && Date.now() < deadline) {
    const result = locks.lock(lockPath);
    if (!result.acquired) continue;
    taken += 1;
    const guard = `${lockPath}-guard`;
    try {
      fs.closeSync(fs.openSync(guard, 'wx'));
      if (!result.lock.isHeld()) violations.push(`not held in round ${taken}`);
      fs.unlinkSync(guard);
    } catch (error) {
      violations.push(error.message);
    }
    if (taken % 3 !== 0) abandon(result.lock.kind, taken);
    result.lock.release();
  }
  say({ taken, violations });
}

/** Leaves the lock as a process does that was killed: the name is there, its owner is not. */
function abandon(lockKind, round) {
  const { pid } = process;
  const stale = `${lockPath}.stale-${pid}`;
  const record = JSON.parse(fs.readFileSync(lockPath, 'utf8'));
  record.startedAt = '1';
  record.nonce = `${pid}-${round}`;
  record.kind = lockKind;
  fs.writeFileSync(stale, JSON.stringify(record));
  fs.renameSync(stale, lockPath);
}
