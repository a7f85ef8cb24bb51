import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createProgress } from '../../../src/cli/progress.js';

const textOf = (stream: PassThrough) => (stream.read() as Buffer | null)?.toString() ?? '';
const lasting = (durationMs: number) =>
  new Promise<string>((resolve) => setTimeout(resolve, durationMs, 'done'));

describe('progress', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('says nothing about what takes less than a second', async () => {
    const stream = new PassThrough();
    const work = createProgress(stream, true).during('saving', () => lasting(900));
    await vi.advanceTimersByTimeAsync(900);
    expect(await work).toBe('done');
    expect(textOf(stream)).toBe('');
  });

  it('shows what takes longer, counts its seconds, and leaves an empty line', async () => {
    const stream = new PassThrough();
    const work = createProgress(stream, true).during('saving', () => lasting(2500));
    await vi.advanceTimersByTimeAsync(2500);
    await work;
    const text = textOf(stream);
    expect(text).toContain('saving … 1 s');
    expect(text).toContain('saving … 2 s');
    expect(text.endsWith('\r\u001b[K')).toBe(true);
  });

  it('shows at once what is known to be long, and makes room for other lines', async () => {
    const stream = new PassThrough();
    const progress = createProgress(stream, true);
    const work = progress.during('saving', () => lasting(100), { atOnce: true });
    expect(textOf(stream)).toContain('saving … 0 s');
    progress.clear();
    expect(textOf(stream)).toBe('\r\u001b[K');
    await vi.advanceTimersByTimeAsync(100);
    await work;
  });

  it('leaves nothing behind when the work fails', async () => {
    const stream = new PassThrough();
    const failing = () => Promise.reject(new Error('no'));
    const work = createProgress(stream, true).during('saving', failing, { atOnce: true });
    await expect(work).rejects.toThrow('no');
    expect(textOf(stream).endsWith('\r\u001b[K')).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('stays silent where nobody watches', async () => {
    const stream = new PassThrough();
    const work = createProgress(stream, false).during('saving', () => lasting(5000), {
      atOnce: true,
    });
    await vi.advanceTimersByTimeAsync(5000);
    await work;
    expect(textOf(stream)).toBe('');
  });
});
