/**
 * The mount table of Linux as text (`/proc/self/mountinfo`, proc_pid_mountinfo(5)): which mount a
 * directory is on. Pure. The text is the kernel's, but lines that are not understood are passed over.
 */
import type { MountFacts } from './system-probe.js';

/**
 * The mount that `directory` (absolute, links resolved) is on: the deepest mount point above it, and of
 * several at the same place the last, which hides the others.
 */
export function findMount(table: string, directory: string): MountFacts | undefined {
  let found: MountFacts | undefined;
  for (const line of table.split('\n')) {
    const mount = parseLine(line);
    if (mount === undefined || !isUnder(directory, mount.mountPoint)) continue;
    if (mount.mountPoint.length >= (found?.mountPoint.length ?? 0)) found = mount;
  }
  return found;
}

function isUnder(directory: string, mountPoint: string): boolean {
  if (mountPoint === '/') return directory.startsWith('/');
  return directory === mountPoint || directory.startsWith(`${mountPoint}/`);
}

/** `36 35 98:0 /root /mount ro,noatime shared:1 - ext4 /dev/sda rw,errors=continue` */
function parseLine(line: string): MountFacts | undefined {
  const [before = '', after = ''] = line.split(' - ');
  const [, , , , mountPoint, mountOptions] = before.split(' ');
  const [type, source, superOptions = ''] = after.split(' ');
  if (!mountPoint || !mountOptions || !type || source === undefined) return undefined;
  const options = [...mountOptions.split(','), ...superOptions.split(',')].filter(Boolean);
  return {
    type,
    source: unescaped(source),
    mountPoint: unescaped(mountPoint),
    options: [...new Set(options)],
  };
}

/** Spaces, tabs, newlines and backslashes stand as three octal digits. */
function unescaped(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_match, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}
