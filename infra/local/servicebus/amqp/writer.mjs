/**
 * Writes AMQP values in their shortest form, as Microsoft's own library does. What fits into a
 * client's batch must not come out larger here.
 */
export class Writer {
  constructor(capacity = 512) {
    this.buffer = Buffer.allocUnsafe(capacity);
    this.position = 0;
  }

  #room(n) {
    const start = this.position;
    this.position += n;
    if (this.position > this.buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.buffer.length * 2, this.position));
      this.buffer.copy(larger, 0, 0, start);
      this.buffer = larger;
    }
    return start;
  }

  /** Returns a copy of what was written. */
  finish() {
    return Buffer.from(this.buffer.subarray(0, this.position));
  }

  reset() {
    this.position = 0;
    return this;
  }

  byte(value) {
    const at = this.#room(1);
    this.buffer[at] = value;
    return this;
  }

  raw(bytes) {
    const at = this.#room(bytes.length);
    bytes.copy(this.buffer, at);
    return this;
  }

  null() {
    return this.byte(0x40);
  }

  boolean(value) {
    return this.byte(value ? 0x41 : 0x42);
  }

  uint(value) {
    if (value === 0) return this.byte(0x43);
    if (value < 256) return this.byte(0x52).byte(value);
    const at = this.#room(5);
    this.buffer[at] = 0x70;
    this.buffer.writeUInt32BE(value, at + 1);
    return this;
  }

  int(value) {
    if (value >= -128 && value <= 127) return this.byte(0x54).byte(value & 0xff);
    const at = this.#room(5);
    this.buffer[at] = 0x71;
    this.buffer.writeInt32BE(value, at + 1);
    return this;
  }

  /** @param {number|bigint} value */
  long(value) {
    if (value >= -128 && value <= 127) return this.byte(0x55).byte(Number(value) & 0xff);
    return this.#eight(0x81, BigInt(value));
  }

  #eight(code, value) {
    const at = this.#room(9);
    this.buffer[at] = code;
    this.buffer.writeBigInt64BE(value, at + 1);
    return this;
  }

  double(value) {
    const at = this.#room(9);
    this.buffer[at] = 0x82;
    this.buffer.writeDoubleBE(value, at + 1);
    return this;
  }

  /** @param {number} milliseconds since 1970 */
  timestamp(milliseconds) {
    return this.#eight(0x83, BigInt(Math.trunc(milliseconds)));
  }

  string(value) {
    return this.#sized(0xa1, 0xb1, Buffer.byteLength(value), (at) => this.buffer.write(value, at, 'utf8'));
  }

  symbol(value) {
    return this.#sized(0xa3, 0xb3, value.length, (at) => this.buffer.write(value, at, 'latin1'));
  }

  binary(bytes) {
    return this.#sized(0xa0, 0xb0, bytes.length, (at) => bytes.copy(this.buffer, at));
  }

  #sized(short, long, length, write) {
    if (length < 256) this.byte(short).byte(length);
    else {
      const at = this.#room(5);
      this.buffer[at] = long;
      this.buffer.writeUInt32BE(length, at + 1);
    }
    write(this.#room(length));
    return this;
  }

  /** Writes a list, map or section body. `write` writes the items and returns how many they are. */
  #compound(short, long, write) {
    const start = this.#room(9);
    const count = write(this);
    const content = this.position - start - 9;
    if (content < 255 && count < 256) {
      this.buffer[start] = short;
      this.buffer[start + 1] = content + 1;
      this.buffer[start + 2] = count;
      this.buffer.copyWithin(start + 3, start + 9, this.position);
      this.position -= 6;
    } else {
      this.buffer[start] = long;
      this.buffer.writeUInt32BE(content + 4, start + 1);
      this.buffer.writeUInt32BE(count, start + 5);
    }
    return this;
  }

  /** @param {(writer: Writer) => number} write */
  list(write) {
    return this.#compound(0xc0, 0xd0, write);
  }

  /** @param {(writer: Writer) => number} write answers keys plus values */
  map(write) {
    return this.#compound(0xc1, 0xd1, write);
  }

  /** Writes the start of a section. The value follows. */
  section(code) {
    return this.byte(0).byte(0x53).byte(code);
  }

  /** Writes a plain JavaScript value in the AMQP type that fits it. */
  value(value) {
    if (value === null || value === undefined) return this.null();
    if (typeof value === 'string') return this.string(value);
    if (typeof value === 'boolean') return this.boolean(value);
    if (typeof value === 'bigint') return this.long(value);
    if (typeof value === 'number') {
      if (!Number.isSafeInteger(value)) return this.double(value);
      return value >= -0x80000000 && value <= 0x7fffffff ? this.int(value) : this.long(value);
    }
    if (value instanceof Date) return this.timestamp(value.getTime());
    if (Buffer.isBuffer(value)) return this.binary(value);
    return this.string(String(value));
  }
}
