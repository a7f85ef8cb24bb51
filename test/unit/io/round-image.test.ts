import { describe, expect, it } from 'vitest';
import { endingOf, readSeal, sealText } from '../../../src/format/seal.js';
import type { RoundContent } from '../../../src/io/checkpoint-io.js';
import { roundImage } from '../../../src/io/round-image.js';
import type { SeenCheckpoint } from '../../../src/io/session.js';

const before = `status: new # é\n${'# a line\n'.repeat(3000)}`;
const version = {};
const claim = { sequence: 1, epoch: 1, timeMs: 5 };
const next = { ...claim, sequence: 2, label: 'done' };

const checkpoint = (text: string): SeenCheckpoint => {
  const bytes = sealText(text, claim);
  return {
    ...{ bytes, reading: readSeal(bytes), rendered: { version, ending: endingOf(text) } },
    ...{ seenAtMs: 0, sequence: 1, changedMs: 0, artifacts: [], historic: true },
    identity: { device: 1, inode: 1, size: bytes.length, modifiedMs: 0 },
    ownership: { mode: 0o600, owner: { uid: 0, gid: 0 } },
  };
};
const done = { start: 8, end: 11, bytes: new TextEncoder().encode('done é') };

/** A content that fails where somebody asks for all of its text. */
const edited = (edit: RoundContent['edit']): RoundContent => ({
  get text(): string {
    throw new Error('the text was asked for');
  },
  ...(edit && { edit }),
});

describe('the image of a round', () => {
  it('is made of that of the checkpoint before, without the text, where its edit is known', () => {
    const { image, ending } = roundImage(
      checkpoint(before),
      edited({ of: version, splices: [done] }),
      next,
    );
    expect(image).toEqual(sealText(before.replace('new', 'done é'), next));
    expect(ending).toEqual(endingOf(before));
  });

  it.each<[string, string, RoundContent['edit']]>([
    ['its edit is not known', before, undefined],
    ['the edit is of another text', before, { of: {}, splices: [done] }],
    ['the checkpoint is short', 'status: new\n', { of: version, splices: [done] }],
    ['the text has no last line break', before.trimEnd(), { of: version, splices: [done] }],
    [
      'the edit reaches the last line break',
      before,
      { of: version, splices: [{ start: 8, end: 27_017, bytes: new Uint8Array(0) }] },
    ],
  ])('is made of its text where %s', (_, text, edit) => {
    expect(() => roundImage(checkpoint(text), edited(edit), next)).toThrow('was asked for');
    const after = text.replace('new', 'done é');
    const content = edit ? { text: after, edit } : { text: after };
    expect(roundImage(checkpoint(text), content, next).image).toEqual(sealText(after, next));
  });
});
