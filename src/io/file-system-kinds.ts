/**
 * What is known of file systems by name: which are local and durable, which only look so, and which
 * mount options weaken a sync. A table and nothing else; `docs/fault-model.md` says what is assumed.
 */
import type { MountFacts, SpaceFacts } from './system-probe.js';

/**
 * - `local`: on a disk of this machine, with a journal or an equal of it
 * - `plain`: on a disk, without a journal: names are not safe against a power failure
 * - `memory`: gone with the power
 * - `network`: another machine has the disk; locks, caches and renames promise less
 * - `overlay`: layers of a container
 * - `program`: behind FUSE; what a sync means is up to the program
 * - `unknown`: not in this table
 */
export type FileSystemKind =
  | 'local'
  | 'plain'
  | 'memory'
  | 'network'
  | 'overlay'
  | 'program'
  | 'unknown';

const KINDS: Readonly<Record<Exclude<FileSystemKind, 'unknown'>, readonly string[]>> = {
  local: ['ext3', 'ext4', 'xfs', 'btrfs', 'zfs', 'f2fs', 'bcachefs', 'jfs', 'apfs', 'ntfs3'],
  plain: ['ext2', 'vfat', 'msdos', 'exfat', 'hfs', 'minix'],
  memory: ['tmpfs', 'ramfs', 'devtmpfs', 'rootfs'],
  network: [
    ...['nfs', 'nfs4', 'cifs', 'smb', 'smb2', 'smb3', 'smbfs', 'ncpfs', 'afs', 'coda'],
    ...['9p', 'virtiofs', 'vboxsf', 'vmhgfs', 'prl_fs', 'ceph', 'glusterfs', 'lustre', 'gfs2'],
    ...['ocfs2', 'fuse.sshfs', 'fuse.s3fs', 'fuse.rclone', 'fuse.gcsfuse', 'fuse.glusterfs'],
    'fuse.vmhgfs-fuse',
  ],
  overlay: ['overlay', 'overlayfs', 'aufs', 'unionfs', 'fuse.fuse-overlayfs'],
  program: ['fuse', 'fuseblk'],
};

/** The kind of a file system by its name. */
export function kindOfFileSystem(type: string): FileSystemKind {
  const name = type.toLowerCase();
  for (const [kind, names] of Object.entries(KINDS)) {
    if (names.includes(name)) return kind as FileSystemKind;
  }
  return name.startsWith('fuse') ? 'program' : 'unknown';
}

/** Magic numbers of statfs(2), for where the mount table can't be read. */
const MAGIC: ReadonlyMap<number, string> = new Map([
  [0xef53, 'ext4'],
  [0x58465342, 'xfs'],
  [0x9123683e, 'btrfs'],
  [0x2fc12fc1, 'zfs'],
  [0xf2f52010, 'f2fs'],
  [0xca451a4e, 'bcachefs'],
  [0x4d44, 'msdos'],
  [0x2011bab0, 'exfat'],
  [0x01021994, 'tmpfs'],
  [0x858458f6, 'ramfs'],
  [0x6969, 'nfs'],
  [0xff534d42, 'cifs'],
  [0xfe534d42, 'smb2'],
  [0x517b, 'smb'],
  [0x01021997, '9p'],
  [0x00c36400, 'ceph'],
  [0x794c7630, 'overlay'],
  [0x65735546, 'fuse'],
]);

/** The name for a magic number, if it is known. */
export function nameOfMagic(magic: number): string | undefined {
  return MAGIC.get(magic >>> 0);
}

/** The file system's name, from the mount table if possible, else from the magic number. */
export function fileSystemName(
  mount: Pick<MountFacts, 'type'> | undefined,
  space: Pick<SpaceFacts, 'magic'> | undefined,
): string | undefined {
  return mount?.type ?? (space && nameOfMagic(space.magic));
}

/** A mount option that weakens what a sync promises, and how. */
export interface WeakOption {
  readonly option: string;
  readonly why: string;
  /** Whether what was synced may be lost; otherwise only what nobody synced is concerned. */
  readonly losesSyncs: boolean;
}

const UNFLUSHED = 'a sync does not empty the cache of the disk';
const WEAK: readonly (readonly [RegExp, string, boolean])[] = [
  [/^nobarriers?$|^barriers?=(0|off|none|flush=off)$/, UNFLUSHED, true],
  [/^fsync_mode=nobarrier$/, UNFLUSHED, true],
  [/^volatile$/, 'syncs are ignored altogether', true],
  [
    /^journal_async_commit$/,
    'the journal is closed before its blocks are known to be written',
    true,
  ],
  [/^no_?journal$|^norecovery$|^noload$/, 'there is no journal to repair names from', true],
  [
    /^data=writeback$/,
    'files that were not synced may hold old bytes after a power failure',
    false,
  ],
];

/** Those of a mount's options that weaken a sync. */
export function weakOptions(options: readonly string[]): WeakOption[] {
  return options.flatMap((option) => {
    const found = WEAK.find(([pattern]) => pattern.test(option));
    return found ? [{ option, why: found[1], losesSyncs: found[2] }] : [];
  });
}
