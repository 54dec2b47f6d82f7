/** A path, or a name, in UTF-8 in a buffer that is used again and again. */

const ASCII_END = 0x80;

export class PathBytes {
  bytes: Buffer = Buffer.alloc(1024);

  /** Writes the text from `start` to `end`, and returns how many bytes it has. What the buffer had is lost. */
  write(text: string, start: number, end: number): number {
    if ((end - start) * 3 > this.bytes.length) this.bytes = Buffer.alloc((end - start) * 4);
    const { bytes } = this;
    // Nearly all paths are ASCII, and for these the loop is faster than a call of native code.
    for (let index = start; index < end; index += 1) {
      const unit = text.charCodeAt(index);
      if (unit >= ASCII_END) return bytes.write(text.slice(start, end), 0, "utf8");
      bytes[index - start] = unit;
    }
    return end - start;
  }
}
