/**
 * What calls of node's `fs` ask for, in all the forms in which their arguments may come. Pure: touches no
 * file. Part of the recorder of `node-fs-tracer.ts`.
 */

/** A function of node's `fs`, of which only the name is known. */
export type AnyFunction = (this: unknown, ...args: never[]) => unknown;

/** Functions of node's `fs` by name. */
export type Table = Record<string, AnyFunction>;

/** Operations on names, which take one path or two and no descriptor. */
export const nameOperations = ['rename', 'link', 'unlink', 'symlink', 'mkdir', 'rmdir'];

/** The bytes that a call of `write` asks for, and at which position; both its forms. */
export function writeArguments(args: readonly unknown[]): { bytes: Uint8Array; position: unknown } {
  const [data, second, third, fourth] = args;
  if (typeof data === 'string') {
    const encoding = (typeof third === 'string' ? third : 'utf8') as BufferEncoding;
    return { bytes: Buffer.from(data, encoding), position: second };
  }
  const view = data as ArrayBufferView;
  const whole = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  if (typeof second === 'object' && second !== null) {
    const options = second as { offset?: number; length?: number; position?: number };
    const offset = options.offset ?? 0;
    const end = offset + (options.length ?? whole.length - offset);
    return { bytes: whole.subarray(offset, end), position: options.position };
  }
  const offset = typeof second === 'number' ? second : 0;
  const length = typeof third === 'number' ? third : whole.length - offset;
  return { bytes: whole.subarray(offset, offset + length), position: fourth };
}

/** A whole file's bytes, and how `writeFile` was told to write it. */
export function fileArguments(data: unknown, options: unknown) {
  const given = typeof options === 'string' ? { encoding: options } : (options ?? {});
  const { encoding, mode, flag, flush } = given as Record<string, unknown>;
  const bytes =
    typeof data === 'string'
      ? Buffer.from(data, (encoding ?? 'utf8') as BufferEncoding)
      : writeArguments([data]).bytes;
  return { bytes, mode: mode ?? 0o666, flag: flag as string | undefined, flush: flush === true };
}

/** The buffers of a vectored write as one. */
export function joined(buffers: readonly ArrayBufferView[]): Uint8Array {
  return Buffer.concat(
    buffers.map((one) => Buffer.from(one.buffer, one.byteOffset, one.byteLength)),
  );
}

/** Options of `appendFile` as those of a `writeFile` that appends. */
export function appending(options: unknown): object {
  const given = typeof options === 'string' ? { encoding: options } : (options ?? {});
  return { flag: 'a', ...(given as object) };
}

/** The position of a read: its last argument, or an option. */
export function positionOfRead(args: readonly unknown[]): unknown {
  const [first] = args;
  if (typeof first === 'object' && first !== null && 'position' in first) return first.position;
  return args[2];
}
