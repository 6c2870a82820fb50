/** Thrown for bytes that are not what AMQP 1.0 says they should be. */
export class MalformedError extends Error {}

/** A value with a descriptor, such as a section or an error. */
export class Described {
  /** @param {number|string} descriptor @param {unknown} value */
  constructor(descriptor, value) {
    this.descriptor = descriptor;
    this.value = value;
  }
}

const DEPTH_MAX = 32;
/** Width of the value (or of its size field) by the upper half of the format code. */
const FIXED_WIDTH = { 0x4: 0, 0x5: 1, 0x6: 2, 0x7: 4, 0x8: 8, 0x9: 16 };

/**
 * Reads AMQP values within bounds. rhea's own reader does not read clients' messages, because messages are kept
 * as the bytes they came in, so that what a receiver gets is what the sender wrote, types included.
 */
export class Reader {
  /** @param {Buffer} buffer */
  constructor(buffer, position = 0, end = buffer.length) {
    this.buffer = buffer;
    this.position = position;
    this.end = end;
  }

  get more() {
    return this.position < this.end;
  }

  /** Takes n bytes and returns where they began. */
  #take(n) {
    const start = this.position;
    if (n > this.end - start) throw new MalformedError('an AMQP value runs past its end');
    this.position = start + n;
    return start;
  }

  #byte() {
    return this.buffer[this.#take(1)];
  }

  #size(width) {
    return width === 1 ? this.#byte() : this.buffer.readUInt32BE(this.#take(4));
  }

  /** Skips one value. */
  skip(depth = 0) {
    if (depth > DEPTH_MAX) throw new MalformedError('AMQP values nested too deeply');
    const code = this.#byte();
    if (code === 0) {
      this.skip(depth + 1);
      this.skip(depth + 1);
      return;
    }
    const kind = code >>> 4;
    if (kind in FIXED_WIDTH) this.#take(FIXED_WIDTH[kind]);
    else if (kind >= 0xa) this.#take(this.#size(kind & 1 ? 4 : 1));
    else throw new MalformedError(`unknown AMQP format code 0x${code.toString(16)}`);
  }

  /** Returns the bytes of one value, with its format code. */
  raw() {
    const start = this.position;
    this.skip();
    return this.buffer.subarray(start, this.position);
  }

  /** Reads one value. Whole numbers beyond 2^53 come as bigint, maps as Map, timestamps as Date, UUIDs as Buffer. */
  read(depth = 0) {
    if (depth > DEPTH_MAX) throw new MalformedError('AMQP values nested too deeply');
    const code = this.#byte();
    if (code === 0) {
      const descriptor = this.read(depth + 1);
      return new Described(/** @type {number} */ (descriptor), this.read(depth + 1));
    }
    return this.#value(code, depth);
  }

  #value(code, depth) {
    const buffer = this.buffer;
    switch (code) {
      case 0x40:
        return null;
      case 0x41:
        return true;
      case 0x42:
        return false;
      case 0x43:
      case 0x44:
        return 0;
      case 0x45:
        return [];
      case 0x50:
      case 0x52:
      case 0x53:
        return this.#byte();
      case 0x51:
      case 0x54:
      case 0x55:
        return buffer.readInt8(this.#take(1));
      case 0x56:
        return this.#byte() !== 0;
      case 0x60:
        return buffer.readUInt16BE(this.#take(2));
      case 0x61:
        return buffer.readInt16BE(this.#take(2));
      case 0x70:
        return buffer.readUInt32BE(this.#take(4));
      case 0x71:
        return buffer.readInt32BE(this.#take(4));
      case 0x72:
        return buffer.readFloatBE(this.#take(4));
      case 0x73:
        return String.fromCodePoint(Math.min(buffer.readUInt32BE(this.#take(4)), 0x10ffff));
      case 0x80:
        return safe(buffer.readBigUInt64BE(this.#take(8)));
      case 0x81:
        return safe(buffer.readBigInt64BE(this.#take(8)));
      case 0x82:
        return buffer.readDoubleBE(this.#take(8));
      case 0x83:
        return new Date(Number(buffer.readBigInt64BE(this.#take(8))));
      case 0x98:
        return this.#bytes(16);
      case 0xa0:
        return this.#bytes(this.#size(1));
      case 0xb0:
        return this.#bytes(this.#size(4));
      case 0xa1:
        return this.#bytes(this.#size(1)).toString('utf8');
      case 0xb1:
        return this.#bytes(this.#size(4)).toString('utf8');
      case 0xa3:
        return this.#bytes(this.#size(1)).toString('latin1');
      case 0xb3:
        return this.#bytes(this.#size(4)).toString('latin1');
      case 0xc0:
      case 0xd0:
        return this.#compound(code & 0x10 ? 4 : 1).items(depth);
      case 0xc1:
      case 0xd1:
        return new Map(pairs(this.#compound(code & 0x10 ? 4 : 1).items(depth)));
      case 0xe0:
      case 0xf0:
        return this.#array(code & 0x10 ? 4 : 1, depth);
      default:
        throw new MalformedError(`unknown AMQP format code 0x${code.toString(16)}`);
    }
  }

  #bytes(n) {
    const start = this.#take(n);
    return this.buffer.subarray(start, start + n);
  }

  #compound(width) {
    const size = this.#size(width);
    const start = this.#take(size);
    const inner = new Reader(this.buffer, start, start + size);
    const count = inner.#size(width);
    return {
      count,
      inner,
      items: (depth) => {
        const items = [];
        // every item takes at least one byte, so a lying count ends with the bytes
        for (let i = 0; i < count; i++) items.push(inner.read(depth + 1));
        return items;
      },
    };
  }

  #array(width, depth) {
    const { count, inner } = this.#compound(width);
    let code = inner.#byte();
    if (code === 0) {
      inner.skip(depth + 1);
      code = inner.#byte();
    }
    // with items of no width, a few bytes could claim four billion items
    if (code >>> 4 === 0x4 && count > 65_536) throw new MalformedError('an AMQP array claims too many items');
    const items = [];
    for (let i = 0; i < count; i++) items.push(inner.#value(code, depth + 1));
    return items;
  }

  /** Reads a list as the raw bytes of its items. */
  rawItems() {
    const code = this.#byte();
    if (code === 0x45) return [];
    if (code !== 0xc0 && code !== 0xd0) throw new MalformedError('expected an AMQP list');
    const { count, inner } = this.#compound(code & 0x10 ? 4 : 1);
    const items = [];
    for (let i = 0; i < count; i++) items.push(inner.raw());
    return items;
  }

  /** Reads a map as pairs of key and raw value bytes, so that values keep the types that they came with. */
  rawPairs() {
    const code = this.#byte();
    if (code !== 0xc1 && code !== 0xd1) throw new MalformedError('expected an AMQP map');
    const { count, inner } = this.#compound(code & 0x10 ? 4 : 1);
    /** @type {Map<string, {key: Buffer, value: Buffer}>} */
    const result = new Map();
    for (let i = 0; i + 1 < count; i += 2) {
      const keyStart = inner.position;
      const name = String(inner.read());
      const key = inner.buffer.subarray(keyStart, inner.position);
      result.set(name, { key, value: inner.raw() });
    }
    return result;
  }
}

/** @param {bigint} value */
function safe(value) {
  return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value;
}

function* pairs(items) {
  for (let i = 0; i + 1 < items.length; i += 2) yield [items[i], items[i + 1]];
}
