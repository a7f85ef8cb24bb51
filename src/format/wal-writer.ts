/**
 * Encodes a log: header, then for each save an intent, its data and its seal, in that order. Assumes
 * that the caller writes every returned part at the offset where it belongs and nothing in between;
 * does no I/O itself. Ruled by `docs/format.md`.
 */
import { viewOf } from './bytes.js';
import {
  DATA_CHUNK_BYTES,
  FRAME_TYPE,
  type IntentRecord,
  SEAL_FRAME_BYTES,
  WAL_HEADER_BYTES,
  type WalHeader,
} from './wal-format.js';
import { frameBytes, writeFrame } from './wal-frame.js';
import { encodeHeader } from './wal-header.js';
import { encodeIntent, successionProblem } from './wal-intent.js';
import { encodeSeal, secondSealOffset } from './wal-seal-record.js';

type Expected = 'header' | 'intent' | 'data' | 'seal';

interface SaveInProgress {
  readonly record: IntentRecord;
  readonly dataLength: number;
  readonly intentOffset: number;
}

/**
 * Encodes one log, part by part: `header()`, then `intent()`, `data()`, `seal()` for each save.
 * Carries the checksum chain and the offset, so one instance makes one log, once. A call out of order
 * is a `TypeError`; a value that the format can't hold is a `TypeError` or `RangeError` and leaves
 * the encoder as it was.
 */
export class WalEncoder {
  readonly #header: WalHeader;
  readonly #headerBytes: Uint8Array;
  #expected: Expected = 'header';
  #offset = 0;
  #chain = 0;
  #save: SaveInProgress | undefined;
  #lastSave: IntentRecord | undefined;
  /** What came before the newest save: where that one, if it is given up, goes back to. */
  #before: { offset: number; chain: number; lastSave: IntentRecord | undefined } | undefined;

  /** @throws TypeError or RangeError where the header can't be encoded. */
  constructor(header: WalHeader) {
    this.#headerBytes = encodeHeader(header);
    this.#header = { ...header, salt: Uint8Array.from(header.salt) };
  }

  /** Bytes returned so far, which is where the next part goes in the file. */
  get offset(): number {
    return this.#offset;
  }

  /** The log's first 64 bytes. */
  header(): Uint8Array {
    this.#expect('header');
    this.#chain = viewOf(this.#headerBytes).getUint32(WAL_HEADER_BYTES - 4, true);
    return this.#advance(this.#headerBytes.slice(), 'intent');
  }

  /**
   * The intent frame of the next save.
   * @param dataLength bytes that will be given to {@link data}: the image's size where it is encoded
   * whole, the length of the encoded splices otherwise.
   */
  intent(record: IntentRecord, dataLength: number): Uint8Array {
    this.#expect('intent');
    const payload = encodeIntent(record, dataLength);
    const problem = successionProblem(record, this.#lastSave);
    if (problem !== undefined) throw new RangeError(problem);
    const bytes = new Uint8Array(frameBytes(payload.length));
    this.#before = { offset: this.#offset, chain: this.#chain, lastSave: this.#lastSave };
    this.#chain = writeFrame(bytes, 0, FRAME_TYPE.intent, payload, this.#chain);
    // A copy: what the seal says must be what the intent said, whatever the caller changes since.
    const kept = { ...record, afterImage: { ...record.afterImage } };
    this.#save = { record: kept, dataLength, intentOffset: this.#offset };
    return this.#advance(bytes, 'data');
  }

  /** All data frames of the save; empty where there is no data. */
  data(encodedAfterImage: Uint8Array): Uint8Array {
    const { dataLength } = this.#expectSave('data');
    if (encodedAfterImage.length !== dataLength) {
      throw new RangeError(
        `${encodedAfterImage.length} bytes of data, the intent says ${dataLength}`,
      );
    }
    const fullChunks = Math.floor(dataLength / DATA_CHUNK_BYTES);
    const rest = dataLength % DATA_CHUNK_BYTES;
    const bytes = new Uint8Array(
      fullChunks * frameBytes(DATA_CHUNK_BYTES) + (rest === 0 ? 0 : frameBytes(rest)),
    );
    let at = 0;
    for (let from = 0; from < dataLength; from += DATA_CHUNK_BYTES) {
      const chunk = encodedAfterImage.subarray(from, from + DATA_CHUNK_BYTES);
      this.#chain = writeFrame(bytes, at, FRAME_TYPE.data, chunk, this.#chain);
      at += frameBytes(chunk.length);
    }
    return this.#advance(bytes, 'seal');
  }

  /** The seal of the save: both copies and the zeros between them. After it, another save may follow. */
  seal(): Uint8Array {
    const { record, dataLength, intentOffset } = this.#expectSave('seal');
    const { salt } = this.#header;
    const { sequence } = record;
    const { sha256 } = record.afterImage;
    const payload = encodeSeal({ sequence, salt, intentOffset, dataLength, sha256 });
    const secondAt = secondSealOffset(this.#offset) - this.#offset;
    const bytes = new Uint8Array(secondAt + SEAL_FRAME_BYTES);
    const chain = this.#chain;
    // Both copies chain from the last data frame, so each verifies without the other.
    writeFrame(bytes, 0, FRAME_TYPE.seal, payload, chain);
    this.#chain = writeFrame(bytes, secondAt, FRAME_TYPE.seal, payload, chain);
    this.#lastSave = record;
    this.#save = undefined;
    return this.#advance(bytes, 'intent');
  }

  /**
   * Gives up the newest save, sealed or only begun: the next `intent()` goes where its own went. What was
   * written of it must be gone from the file, durably, before that.
   * @throws TypeError where no save is before it, or it was given up already
   */
  rewind(): void {
    if (this.#before?.lastSave === undefined) throw new TypeError('there is no save to go back to');
    this.#offset = this.#before.offset;
    this.#chain = this.#before.chain;
    this.#lastSave = this.#before.lastSave;
    this.#before = undefined;
    this.#save = undefined;
    this.#expected = 'intent';
  }

  #expect(part: Expected): void {
    if (this.#expected !== part) {
      throw new TypeError(`the log goes on with ${this.#expected}(), not ${part}()`);
    }
  }

  #expectSave(part: Expected): SaveInProgress {
    this.#expect(part);
    if (this.#save === undefined) throw new TypeError('no save is being written');
    return this.#save;
  }

  #advance(bytes: Uint8Array, next: Expected): Uint8Array {
    this.#offset += bytes.length;
    this.#expected = next;
    return bytes;
  }
}
