import { describe, expect, it } from 'vitest';
import { findMount } from '../../../src/io/mount-table.js';

const TABLE = [
  '27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard',
  '30 27 0:27 / /dev/shm rw,nosuid shared:3 - tmpfs tmpfs rw,size=1024k',
  '31 27 0:28 / /srv/data rw - ext4 /dev/old rw',
  '32 31 0:29 /sub /srv/data ro,noatime master:1 propagate_from:2 - xfs /dev/new rw,nobarrier',
  '33 27 0:30 / /mnt/two\\040words\\134x rw - nfs4 host:/a\\040b rw,vers=4.2',
  'a line that is none',
  '',
].join('\n');

describe('findMount', () => {
  it.each([
    ['/', '/'],
    ['/home/me', '/'],
    ['/dev/shm', '/dev/shm'],
    ['/dev/shm/a/b', '/dev/shm'],
    ['/dev/shmoo', '/'],
  ])('finds that %s is on the mount at %s', (directory, mountPoint) => {
    expect(findMount(TABLE, directory)?.mountPoint).toBe(mountPoint);
  });

  it('takes the last of several mounts at one place, with the options of mount and file system', () => {
    expect(findMount(TABLE, '/srv/data/store')).toEqual({
      type: 'xfs',
      source: '/dev/new',
      mountPoint: '/srv/data',
      options: ['ro', 'noatime', 'rw', 'nobarrier'],
    });
  });

  it('reads names with spaces and backslashes', () => {
    expect(findMount(TABLE, '/mnt/two words\\x/store')).toMatchObject({
      source: 'host:/a b',
      mountPoint: '/mnt/two words\\x',
    });
  });

  it('finds nothing in a table that holds nothing', () => {
    expect(findMount('', '/a')).toBeUndefined();
    expect(findMount('- - -\n\0\n', '/a')).toBeUndefined();
  });
});
