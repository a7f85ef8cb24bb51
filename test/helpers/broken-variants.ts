/**
 * Deliberately broken stores: each takes one rule away by changing a few characters of the built
 * JavaScript, and says which hunt and which check must catch it, and how soon. A variant that nothing
 * catches would be a hole in the tests, not a curiosity; `docs/testing.md` prints the list.
 */
import type { Patch } from './variant-build.js';
import type { HuntName } from './variant-hunts.js';

/** One broken store. */
export interface BrokenVariant {
  /** Stable name. */
  readonly name: string;
  /** What it does wrong, in words. */
  readonly breaks: string;
  /** The rule that it breaks, in words. */
  readonly rule: string;
  readonly patches: readonly Patch[];
  /** Where it is looked for. */
  readonly hunt: HuntName;
  /** The check that must fail first. */
  readonly check: string;
  /** After at most so many distinct states of the disk. */
  readonly statesMax: number;
}

const write = 'io/write-operations.js';
const prepare = 'io/prepare-operations.js';
const recovery = 'io/recovery-operations.js';
const files = 'io/files.js';
const content = 'io/file-content.js';
const history = 'io/history-files.js';
const quarantine = 'io/quarantine-files.js';
const writeMachine = 'machines/write-machine.js';
const recoveryMachine = 'machines/recovery-machine.js';
const rootMachine = 'machines/checkpoint-setup.js';
const decision = 'machines/recovery-decision.js';

const patch = (file: string, find: string, replace: string): Patch => ({ file, find, replace });

/** Another action for a row of a decision table, found by its condition. */
const decides = (matches: string, action: string, instead: string): Patch =>
  patch(
    decision,
    `matches: ${matches},\n        action: '${action}'`,
    `matches: ${matches},\n        action: '${instead}'`,
  );

const order = 'The log is durable, name and content, before the checkpoint is touched.';
const publish =
  'A checkpoint is written whole, synced, renamed and named durably before its log goes.';
const acknowledge = 'A save is acknowledged only when what was promised is durable.';
const sealing = 'A save counts only if every checksum and length of its log is right.';
const damage = 'Damage is neither the end of a log nor an empty state: it is kept as evidence.';
const identity = 'A log is applied only to the file and the state that it was written for.';
const failedSync = 'A descriptor whose sync failed is never trusted again.';
const evidence = 'What recovery sets aside is durable before anything takes its place.';
const past = 'Every checkpoint that a save replaces stays in history and verifies on its own.';
const edits = 'Edits made outside are adopted or set aside, never lost.';
const asked = 'What is saved is what was handed over when the save was asked for.';
const numbers = 'Sequence numbers and epochs only rise.';
const tidy = 'Nothing of a finished save or recovery is left lying about.';

/** The list. */
export const brokenVariants: readonly BrokenVariant[] = [
  {
    name: 'log not synced',
    breaks: 'step 3 syncs the directory and not the log',
    rule: order,
    patches: [patch(write, '() => syncFile(wal.handle, path)', '() => []')],
    hunt: 'logged',
    check: 'finds-an-allowed-state',
    statesMax: 150,
  },
  {
    name: "log's name not synced",
    breaks: 'step 3 syncs the log and not the directory that names it',
    rule: order,
    patches: [
      patch(write, '() => trusted(session, syncDirectory(session.fs, directory))', '() => []'),
    ],
    hunt: 'logged',
    check: 'finds-an-allowed-state',
    statesMax: 150,
  },
  {
    name: 'logged acknowledged early',
    breaks: 'callers who wait for the log are answered before it is synced',
    rule: acknowledge,
    patches: [
      patch(
        writeMachine,
        "'writeData.done': { guard: 'isCurrent', target: 'syncingWal', actions: 'countBytes' }",
        "'writeData.done': { guard: 'isCurrent', target: 'syncingWal', actions: ['countBytes', 'tellLogged'] }",
      ),
    ],
    hunt: 'logged',
    check: 'finds-an-allowed-state',
    statesMax: 100,
  },
  {
    name: 'appended save not synced',
    breaks: 'a save that goes behind others in the log is answered without a sync',
    rule: acknowledge,
    patches: [
      patch(write, "yield* syncFile(wal.handle, pathsOf(session).wal, 'data')", 'yield* []'),
    ],
    hunt: 'waiting in the log',
    check: 'finds-an-allowed-state',
    statesMax: 300,
  },
  {
    name: 'committed acknowledged early',
    breaks: 'all callers are answered when the intent is written',
    rule: acknowledge,
    patches: [
      patch(
        writeMachine,
        "'writeIntent.done': { guard: 'isCurrent', target: 'writingData', actions: 'countBytes' }",
        "'writeIntent.done': { guard: 'isCurrent', target: 'writingData', actions: ['countBytes', 'tellLogged'] }",
      ),
      patch('store/save-desk.js', "this.#asked.get(id)?.durability === 'logged'", 'true'),
    ],
    hunt: 'committed, slow syncs',
    check: 'finds-an-allowed-state',
    statesMax: 100,
  },
  {
    name: 'temporary file not synced',
    breaks: 'the file is renamed over the checkpoint with its content unsynced',
    rule: publish,
    patches: [patch(prepare, '() => syncFile(temporary.handle, temporary.path)', '() => []')],
    hunt: 'committed',
    check: 'readers-find-a-whole-checkpoint',
    statesMax: 300,
  },
  {
    name: 'temporary file not synced, names in order',
    breaks: 'the same, on a disk that keeps names in order as ext4 does',
    rule: publish,
    patches: [patch(prepare, '() => syncFile(temporary.handle, temporary.path)', '() => []')],
    hunt: 'committed, in order',
    check: 'readers-find-a-whole-checkpoint',
    statesMax: 200,
  },
  {
    name: 'wrong file synced',
    breaks: 'the log is synced again instead of the temporary file',
    rule: publish,
    patches: [
      patch(
        prepare,
        'syncFile(temporary.handle, temporary.path)',
        'syncFile((round.wal ?? temporary).handle, temporary.path)',
      ),
    ],
    hunt: 'committed',
    check: 'readers-find-a-whole-checkpoint',
    statesMax: 300,
  },
  {
    name: 'rename not synced',
    breaks: 'the log is unlinked without the directory having been synced after the rename',
    rule: publish,
    patches: [patch(write, 'yield* trusted(session, syncDirectory(fs, directory));', '')],
    hunt: 'committed',
    check: 'finds-an-allowed-state',
    statesMax: 300,
  },
  {
    name: 'log unlinked before the rename is durable',
    breaks: 'the directory is synced once, after both the rename and the unlink',
    rule: publish,
    patches: [
      patch(write, 'yield* trusted(session, syncDirectory(fs, directory));', ''),
      patch(
        'io/file-checkpoint-io.js',
        'deleteWal: () => deleteWal(session)',
        'deleteWal: () => run((function* () { deleteWal(session); yield* syncDirectory(session.fs, pathsOf(session).directory); })())',
      ),
    ],
    hunt: 'logged',
    check: 'finds-an-allowed-state',
    statesMax: 200,
  },
  {
    name: 'checkpoint written in place',
    breaks: 'step 4 writes into the checkpoint itself, without a temporary file',
    rule: publish,
    patches: [
      patch(
        prepare,
        'const path = temporaryFor(pathsOf(session).target, session.random);\n    const handle = createFile(session.fs, path, ownershipOf(session));',
        "const path = pathsOf(session).target;\n    const handle = session.fs.open(path, 'readWrite');\n    handle.truncate(0);",
      ),
    ],
    hunt: 'readers',
    check: 'readers-find-a-whole-checkpoint',
    statesMax: 100,
  },
  {
    name: 'short writes taken for whole ones',
    breaks: 'the byte count of a write is ignored, and so is the size of the file',
    rule: 'Writes go on until every byte is written, and the size is checked.',
    patches: [
      patch(content, 'written += count;', 'written = bytes.length;'),
      patch(content, 'if (isShort)', 'if (false)'),
      patch(content, 'if (size !== expected) {', 'if (false) {'),
    ],
    hunt: 'short writes',
    check: 'recovers',
    statesMax: 200,
  },
  {
    name: 'failed sync of the log tried again',
    breaks: 'after a failed sync the same descriptor is synced again',
    rule: failedSync,
    patches: [patch(writeMachine, "target: 'droppingWal'", "target: 'syncingWal', reenter: true")],
    hunt: 'sync of the log fails',
    check: 'finds-an-allowed-state',
    statesMax: 200,
  },
  {
    name: 'failed sync of the temporary file tried again',
    breaks: 'after a failed sync the same descriptor is synced again',
    rule: failedSync,
    patches: [
      patch(
        writeMachine,
        "target: 'droppingTemporary'",
        "target: 'syncingCheckpoint', reenter: true",
      ),
      patch(prepare, 'if (synced === undefined)', 'if (synced?.failed !== false)'),
    ],
    hunt: 'sync of the temporary file fails',
    check: 'readers-find-a-whole-checkpoint',
    statesMax: 300,
  },
  {
    name: 'failed save not taken back durably',
    breaks: "the removal of a failed save's log is not synced",
    rule: 'A save that was reported as failed is not found by a later recovery.',
    patches: [
      patch(
        write,
        'yield* trusted(session, syncDirectory(session.fs, pathsOf(session).directory));',
        '',
      ),
    ],
    hunt: 'disk full',
    check: 'finds-an-allowed-state',
    statesMax: 100,
  },
  {
    name: 'log deleted before it is applied',
    breaks: 'recovery unlinks the log when it has read it',
    rule: 'Recovery deletes the log only when what it promises is durable.',
    patches: [
      patch(
        recovery,
        'const { epoch } = scan.header;',
        'unlinkIfThere(session.fs, pathsOf(session).wal); const { epoch } = scan.header;',
      ),
    ],
    hunt: 'logged, crashed twice',
    check: 'evidence-survives-crashes',
    statesMax: 1000,
  },
  {
    name: 'page cache trusted in recovery',
    breaks: 'recovery unlinks the log of a save that it finds published, without a sync of its own',
    rule: 'Recovery deletes the log only when what it promises is durable.',
    patches: [
      patch('io/file-checkpoint-io.js', 'yield* wait(fs.syncDirectory(paths.directory))', 'true'),
      patch(recovery, 'yield* syncPath(fs, target);\n    yield* syncDirectory(fs, directory);', ''),
    ],
    hunt: 'killed, then power failure',
    check: 'history-is-complete',
    statesMax: 1500,
  },
  {
    name: 'first save not finished',
    breaks: 'recovery discards a sealed log where there is no checkpoint yet',
    rule: 'A sealed log is finished, also where there is no checkpoint yet.',
    patches: [decides("sealedWith('missing')", 'apply', 'discard')],
    hunt: 'first save',
    check: 'keeps-what-it-cannot-explain',
    statesMax: 50,
  },
  {
    name: 'checksums of frames ignored',
    breaks: 'a frame verifies whatever its checksum says',
    rule: sealing,
    patches: [
      patch(
        'format/wal-frame.js',
        'return frameChecksum(bytes.subarray(offset, outline.end), seed) === outline.checksum;',
        'return true;',
      ),
    ],
    hunt: 'damaged logs',
    check: 'finds-an-allowed-state',
    statesMax: 25,
  },
  {
    name: 'salt ignored',
    breaks: 'neither the chain of checksums nor the seal depends on the salt',
    rule: 'Frames of an earlier log never verify in a later one.',
    patches: [
      patch(
        'format/wal-writer.js',
        'this.#chain = viewOf(this.#headerBytes).getUint32(WAL_HEADER_BYTES - 4, true);',
        'this.#chain = 0;',
      ),
      patch('format/wal-scanner.js', 'chain: checksum', 'chain: 0'),
      patch('format/wal-save-reader.js', 'equalBytes(seal.salt, expected.salt)', 'true'),
    ],
    hunt: 'stale frames',
    check: 'stale-frames-never-verify',
    statesMax: 1,
  },
  {
    name: 'declared length believed',
    breaks: 'memory is allocated by a length that nothing has confirmed',
    rule: 'No declared length is believed before it is compared with what is there.',
    patches: [
      patch(
        'format/wal-save-reader.js',
        'const chunks = [];',
        'const chunks = []; new Uint8Array(dataLength);',
      ),
    ],
    hunt: 'foreign logs',
    check: 'recovers',
    statesMax: 12,
  },
  {
    name: 'order of sequence numbers ignored',
    breaks: 'a save with a lower number than the one before it is accepted',
    rule: sealing,
    patches: [
      patch('format/wal-intent.js', 'if (record.sequence <= previous.sequence) {', 'if (false) {'),
    ],
    hunt: 'foreign logs',
    check: 'finds-an-allowed-state',
    statesMax: 12,
  },
  {
    name: 'target ignored',
    breaks: 'a log for another file is applied to this one',
    rule: identity,
    patches: [patch('format/wal-scanner.js', 'intent.target === expected', 'true')],
    hunt: 'foreign logs',
    check: 'finds-an-allowed-state',
    statesMax: 12,
  },
  {
    name: 'SHA-256 of the image ignored',
    breaks: 'the image is not compared with the digest in the intent',
    rule: sealing,
    patches: [patch('format/wal-save-reader.js', 'if (whole === sha256)', 'if (true)')],
    hunt: 'foreign logs',
    check: 'finds-an-allowed-state',
    statesMax: 12,
  },
  {
    name: 'digest of splices ignored',
    breaks: 'the image that splices make is not compared with the digest in their intent',
    rule: sealing,
    patches: [
      patch('format/wal-save-reader.js', 'if (image.digest.sha256 === sha256)', 'if (true)'),
    ],
    hunt: 'foreign logs',
    check: 'finds-an-allowed-state',
    statesMax: 12,
  },
  {
    name: 'unsealed log applied',
    breaks: 'a log whose seal never reached the disk counts as sealed',
    rule: sealing,
    patches: [
      patch(
        'format/wal-save-reader.js',
        "if (good.kind !== 'good') {",
        "if (good.kind !== 'good') return { kind: 'seal', chain: data.chain, endOffset: bytes.length, findings: [] }; if (false) {",
      ),
    ],
    hunt: 'foreign logs',
    check: 'finds-an-allowed-state',
    statesMax: 12,
  },
  {
    name: 'damage taken for the end',
    breaks: 'the scanner does not look for seals behind bytes that do not verify',
    rule: damage,
    patches: [
      patch('format/wal-scanner.js', 'damage = damageOf(bytes, header, log)', 'damage = undefined'),
    ],
    hunt: 'damaged logs',
    check: 'keeps-what-it-cannot-explain',
    statesMax: 25,
  },
  {
    name: 'damage behind a save thrown away',
    breaks: 'recovery applies what verifies of a log, and deletes the rest with it',
    rule: damage,
    patches: [
      patch(
        recoveryMachine,
        "context.wal?.verdict === 'partlyDamaged' && isCurrentReply(context, event)",
        'false',
      ),
    ],
    hunt: 'foreign logs',
    check: 'keeps-what-it-cannot-explain',
    statesMax: 12,
  },
  {
    name: 'damaged log deleted',
    breaks: 'recovery deletes a damaged log instead of setting it aside',
    rule: damage,
    patches: [decides("({ verdict }) => verdict === 'damaged'", 'quarantine', 'discard')],
    hunt: 'damaged logs',
    check: 'keeps-what-it-cannot-explain',
    statesMax: 10,
  },
  {
    name: 'log of a later version deleted',
    breaks: 'recovery takes a log of a format that it does not know for a torn one',
    rule: damage,
    patches: [
      decides("({ verdict }) => verdict === 'unsupportedVersion'", 'quarantine', 'discard'),
    ],
    hunt: 'foreign logs',
    check: 'keeps-what-it-cannot-explain',
    statesMax: 12,
  },
  {
    name: 'pre-image not compared',
    breaks: 'a log is applied to whatever lies under its name',
    rule: identity,
    patches: [
      patch(
        recovery,
        "if (reading.kind === 'sealed' && reading.sequence > sequence)",
        'if (false)',
      ),
    ],
    hunt: 'damaged checkpoints',
    check: 'finds-an-allowed-state',
    statesMax: 10,
  },
  {
    name: 'conflicting file not kept',
    breaks: 'a file that the log does not know is replaced without a copy',
    rule: edits,
    patches: [
      decides("sealedWith('other')", 'keepAndApply', 'apply'),
      patch(
        recovery,
        'if (!historic) {\n            yield* keepBytes',
        'if (false) {\n            yield* keepBytes',
      ),
    ],
    hunt: 'damaged checkpoints',
    check: 'keeps-what-it-cannot-explain',
    statesMax: 10,
  },
  {
    name: 'applied again over an edit',
    breaks: 'a save that was published already is applied again, over a later edit',
    rule: edits,
    patches: [decides("sealedWith('editedAfterImage')", 'finish', 'apply')],
    hunt: 'damaged checkpoints',
    check: 'finds-an-allowed-state',
    statesMax: 10,
  },
  {
    name: 'empty file adopted',
    breaks: 'an unreadable checkpoint is taken for a new store',
    rule: damage,
    patches: [decides("({ condition }) => condition === 'damaged'", 'searchHistory', 'start')],
    hunt: 'damaged checkpoints',
    check: 'finds-an-allowed-state',
    statesMax: 10,
  },
  {
    name: 'lost file taken for a new store',
    breaks: 'a missing checkpoint is an empty state although there is history',
    rule: damage,
    patches: [
      decides(
        "({ condition, everPublished }) => condition === 'missing' && everPublished",
        'searchHistory',
        'start',
      ),
    ],
    hunt: 'damaged checkpoints',
    check: 'finds-an-allowed-state',
    statesMax: 10,
  },
  {
    name: 'damaged checkpoint not kept',
    breaks: 'a restore replaces the damaged file without a copy',
    rule: damage,
    patches: [
      patch(recoveryMachine, "target: 'keepingCheckpoint'", "target: 'restoringFromHistory'"),
    ],
    hunt: 'damaged checkpoints',
    check: 'keeps-what-it-cannot-explain',
    statesMax: 10,
  },
  {
    name: 'seal of the checkpoint not verified',
    breaks: 'the digest in the seal line is not compared with the bytes before it',
    rule: 'A checkpoint is what was published only if its seal verifies.',
    patches: [
      patch('format/seal.js', 'if ((known ?? sha256Hex(covered)) !== line.sha256)', 'if (false)'),
    ],
    hunt: 'damaged checkpoints',
    check: 'finds-an-allowed-state',
    statesMax: 10,
  },
  {
    name: 'history entry not verified',
    breaks: 'the newest entry is restored whether or not its seal verifies',
    rule: past,
    patches: [
      patch(
        'io/history-search.js',
        "if (reading.kind !== 'sealed' || reading.sequence !== sequence) {",
        'if (false) {',
      ),
    ],
    hunt: 'damaged checkpoints',
    check: 'recovers',
    statesMax: 10,
  },
  {
    name: 'quarantine not synced',
    breaks: 'a log is moved to quarantine without its new name being durable first',
    rule: evidence,
    patches: [
      patch(
        quarantine,
        'if (linkOrNot(fs, path, kept))\n        yield* syncDirectory(fs, quarantine);',
        'if (linkOrNot(fs, path, kept))\n        ;',
      ),
    ],
    hunt: 'crash while evidence is kept',
    check: 'evidence-survives-crashes',
    statesMax: 50,
  },
  {
    name: 'copies not synced',
    breaks: 'files copied to quarantine or history are renamed with their content unsynced',
    rule: evidence,
    patches: [patch(files, 'yield* syncFile(handle, temporary);', '')],
    hunt: 'crash while evidence is kept',
    check: 'evidence-survives-crashes',
    statesMax: 300,
  },
  {
    name: "copies' names not synced",
    breaks: 'files copied to quarantine or history are renamed without a sync of the directory',
    rule: evidence,
    patches: [patch(files, 'yield* syncDirectory(fs, parentOf(path));', '')],
    hunt: 'crash while evidence is kept',
    check: 'evidence-survives-crashes',
    statesMax: 200,
  },
  {
    name: 'history link not synced',
    breaks: "the predecessor's new name is not durable before the rename takes its old one",
    rule: past,
    patches: [
      patch(
        history,
        'if (linked)\n        yield* syncDirectory(fs, history);',
        'if (linked)\n        ;',
      ),
    ],
    hunt: 'history',
    check: 'history-is-complete',
    statesMax: 300,
  },
  {
    name: 'new directory not synced',
    breaks: 'the name of the history directory is not synced when it is made',
    rule: past,
    patches: [patch(files, 'yield* syncDirectory(fs, parent);', '')],
    hunt: 'logged, crashed twice',
    check: 'history-is-complete',
    statesMax: 200,
  },
  {
    name: 'history kept after the rename',
    breaks: 'the predecessor is put into history only when its successor is in place',
    rule: past,
    patches: [
      patch(prepare, '() => trusted(session, keepPredecessor(session, round))', '() => []'),
      patch(
        write,
        'takeAsCurrent(session, round, stat, seenAtMs);',
        "if (current?.historic) yield* keepInHistory(session, current, predecessorSequence(round, current), 'copy'); takeAsCurrent(session, round, stat, seenAtMs);",
      ),
    ],
    hunt: 'history',
    check: 'history-is-complete',
    statesMax: 100,
  },
  {
    name: 'sequence number used twice',
    breaks: 'a round does not take a number of its own',
    rule: numbers,
    patches: [
      patch(
        rootMachine,
        'takeSequence: assign({ highestSequence: ({ context }) => context.highestSequence + 1 })',
        'takeSequence: assign({ highestSequence: ({ context }) => Math.max(1, context.highestSequence) })',
      ),
    ],
    hunt: 'history',
    check: 'history-is-complete',
    statesMax: 300,
  },
  {
    name: 'sequence numbers start anew',
    breaks: 'a reopened store counts from one again',
    rule: numbers,
    patches: [
      patch(rootMachine, 'highestSequence: params.output.highestSequence', 'highestSequence: 0'),
    ],
    hunt: 'reopened',
    // A store that counts anew publishes what looks like an old copy beside its own history.
    check: 'epochs-rise',
    statesMax: 400,
  },
  {
    name: 'epoch not raised',
    breaks: 'a reopened store writes under the epoch of the one before it',
    rule: numbers,
    patches: [
      patch(
        recovery,
        'session.epoch = Math.max(session.epoch, claim?.epoch ?? 0) + 1;',
        'session.epoch = Math.max(session.epoch, claim?.epoch ?? 0, 1);',
      ),
    ],
    hunt: 'epochs',
    check: 'epochs-rise',
    statesMax: 400,
  },
  {
    name: 'later callers of a batch lost',
    breaks: 'the oldest save of a batch is published, and every caller is told of success',
    rule: asked,
    patches: [
      patch(
        'store/document.js',
        'this.#pending.findLastIndex(({ id }) => ids.has(id)) + 1',
        'this.#pending.findIndex(({ id }) => ids.has(id)) + 1',
      ),
    ],
    hunt: 'together',
    check: 'finds-an-allowed-state',
    statesMax: 400,
  },
  {
    name: 'state not cloned',
    breaks: "the caller's own object is kept, and rendered again after it has changed it",
    rule: asked,
    patches: [
      patch(
        'store.js',
        "{ kind: 'state', value: this.#document.clone(state) }",
        "{ kind: 'state', value: state }",
      ),
    ],
    hunt: 'caller goes on changing the state',
    check: 'finds-an-allowed-state',
    statesMax: 150,
  },
  {
    name: 'outside edit not noticed',
    breaks: 'a save does not look whether the file was edited since',
    rule: edits,
    patches: [patch('io/file-checkpoint-io.js', "if (seen === 'same')", 'if (true)')],
    hunt: 'outside edit',
    check: 'finds-an-allowed-state',
    statesMax: 300,
  },
  {
    name: 'late edit overwritten',
    breaks: 'an edit that slips in during a save is replaced without a copy',
    rule: edits,
    patches: [
      patch(write, 'if (looksUnchanged(session))\n        return undefined;', 'return undefined;'),
    ],
    hunt: 'edit during a save',
    check: 'keeps-late-edits',
    statesMax: 1,
  },
  {
    name: 'log never deleted',
    breaks: 'step 6 leaves the log where it is',
    rule: tidy,
    patches: [
      patch(
        write,
        'unlinkIfThere(session.fs, pathsOf(session).wal);\n    closeQuietly',
        'closeQuietly',
      ),
    ],
    hunt: 'committed',
    check: 'leaves-nothing-behind',
    statesMax: 25,
  },
  {
    name: 'temporary files left',
    breaks: 'recovery does not remove what a crash left of a save',
    rule: tidy,
    patches: [
      patch(
        recovery,
        'for (const name of left)\n        unlinkIfThere(fs, join(directory, name));',
        '',
      ),
    ],
    hunt: 'committed',
    check: 'leaves-nothing-behind',
    statesMax: 100,
  },
];
