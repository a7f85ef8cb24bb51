/**
 * Builds logs for tests from images, through the real encoder. Deterministic: salt, times and digests
 * follow from the arguments.
 */
import { sha256Hex } from '../../src/format/bytes.js';
import { encodeSplices, type Splice } from '../../src/format/image-splice.js';
import { PartedImage } from '../../src/format/parted-image.js';
import type { IntentRecord, WalHeader } from '../../src/format/wal-format.js';
import { WalEncoder } from '../../src/format/wal-writer.js';

/** One save of a test log: a whole image, or splices with the image that they make. */
export interface TestSave {
  readonly sequence: number;
  readonly image: Uint8Array;
  readonly splices?: readonly Splice[];
  readonly label?: string;
  readonly target?: string;
}

export const TARGET = 'ORCHESTRATION.yaml';

export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function joinBytes(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(parts));
}

/** A header whose salt is 16 bytes counted up from `saltStart`. */
export function testHeader(saltStart = 1, epoch = 3): WalHeader {
  const salt = Uint8Array.from({ length: 16 }, (_, index) => (saltStart + index) % 256);
  return { epoch, salt, createdMs: 1_700_000_000_000 };
}

/** `parts`: the image of splices, as they make it. */
export function intentOf(save: TestSave, previous?: Uint8Array, parts?: PartedImage): IntentRecord {
  return {
    sequence: save.sequence,
    timeMs: 1_700_000_000_000 + save.sequence,
    target: save.target ?? TARGET,
    ...(save.label === undefined ? {} : { label: save.label }),
    preImage:
      previous === undefined ? undefined : { size: previous.length, sha256: sha256Hex(previous) },
    afterImage: parts?.digest ?? { size: save.image.length, sha256: sha256Hex(save.image) },
    encoding: save.splices === undefined ? 'whole' : 'splices',
  };
}

/** A sealed log with these saves, and where each of them starts and ends. */
export function buildLog(
  saves: readonly TestSave[],
  header: WalHeader = testHeader(),
): { readonly bytes: Uint8Array; readonly ends: readonly number[] } {
  const encoder = new WalEncoder(header);
  const written = [encoder.header()];
  const ends: number[] = [];
  let previous: Uint8Array | undefined;
  let parts = PartedImage.of(new Uint8Array(0));
  for (const save of saves) {
    const encoded = save.splices === undefined ? save.image : encodeSplices(save.splices);
    const { image, splices } = save;
    parts = splices === undefined ? PartedImage.of(image) : parts.splice(splices);
    const intent = intentOf(save, previous, splices && parts);
    written.push(encoder.intent(intent, encoded.length));
    written.push(encoder.data(encoded), encoder.seal());
    ends.push(encoder.offset);
    previous = save.image;
  }
  return { bytes: joinBytes(...written), ends };
}

/** Replaces `start..end` of an image: the save's new image and the splice that makes it. */
export function edited(
  image: Uint8Array,
  start: number,
  end: number,
  text: string,
): { readonly image: Uint8Array; readonly splices: readonly Splice[] } {
  const bytes = utf8(text);
  return {
    image: joinBytes(image.subarray(0, start), bytes, image.subarray(end)),
    splices: [{ start, end, bytes }],
  };
}

const FIRST = utf8('# plan\nphases:\n  - id: build\n    status: todo\n');
const SECOND = edited(FIRST, 41, 45, 'running');
const THIRD = edited(SECOND.image, 0, 0, '# edited\n');

/** One small save. */
export const ONE_SAVE: readonly TestSave[] = [{ sequence: 7, image: FIRST, label: 'start' }];

/** Three saves, the later two as splices. */
export const THREE_SAVES: readonly TestSave[] = [
  { sequence: 7, image: FIRST, label: 'start' },
  { sequence: 8, ...SECOND },
  { sequence: 12, ...THIRD, label: '' },
];

/** One save of three data frames, the last one partial; text, as real images are. */
export function multiChunkImage(size: number): Uint8Array {
  const image = new Uint8Array(size);
  for (let index = 0; index < size; index += 1) {
    image[index] = index % 40 === 39 ? 10 : 97 + ((index * 7 + Math.floor(index / 40)) % 26);
  }
  return image;
}
