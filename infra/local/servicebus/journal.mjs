import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { own, ownerFile } from '../owner.mjs';
import { StoredMessage } from './amqp/message.mjs';
import { snapshot } from './entities/snapshot.mjs';

const FILE = 'journal';
const MAGIC = Buffer.from('service-bus-emulator journal 1\n');
const FRAME_BYTES = 12; // length, checksum, length of the JSON part
const READ_BYTES = 4 * 1_048_576;
/** The file is rewritten once it is larger than this and most of it is about what is gone. */
const COMPACT_BYTES_MIN = 64 * 1_048_576;
const COMPACT_FACTOR = 4;
/** An estimate of the bytes written for each message or remembered message id, without the message's own bytes. */
const ITEM_BYTES = 200;

/** The data directory cannot be used. The message says why and what to do. */
export class JournalError extends Error {}

/**
 * All lasting changes in their order, in one append-only file of records. A record is written before anybody
 * hears of the change, so a killed process loses nothing that it acknowledged (the operating system has it; a power
 * cut is not covered).
 */
export class Journal {
  #directory;
  #file;
  #size = 0;
  #broker;
  #compacting = false;
  #compactBytes = COMPACT_BYTES_MIN;

  /** @param {string} directory @param {import('./entities/broker.mjs').Broker} broker an empty one, which is filled */
  constructor(directory, broker) {
    this.#directory = directory;
    this.#broker = broker;
    try {
      mkdirSync(directory, { recursive: true });
      this.#own();
      if (existsSync(this.#path(FILE))) this.#replay();
      this.#compact();
    } catch (error) {
      // a failed system call has its cause in the directory: a file in its place, no rights, no room
      throw error.syscall ? new JournalError(`--data ${directory} cannot be used as a folder (${error.message})`) : error;
    }
    broker.write = (record) => this.#append(record);
  }

  close() {
    closeSync(this.#file);
    rmSync(ownerFile(this.#directory), { force: true });
  }

  #path(name) {
    return join(this.#directory, name);
  }

  /** Refuses a second process, because two that append to one file would ruin it. */
  #own() {
    const owner = own(this.#directory);
    if (owner === undefined) return;
    const path = ownerFile(this.#directory);
    throw new JournalError(`--data ${this.#directory} is used by process ${owner}; if that is no emulator, delete ${path}`);
  }

  #append(record) {
    const bytes = encode(record);
    try {
      writeAll(this.#file, bytes, this.#size);
    } catch (error) {
      ftruncateSync(this.#file, this.#size); // half a record must not stay before the next one
      throw error;
    }
    this.#size += bytes.length;
    if (this.#size > this.#compactBytes && !this.#compacting && this.#size > COMPACT_FACTOR * this.#liveBytes()) {
      this.#compacting = true;
      setImmediate(() => {
        this.#compacting = false;
        this.#compactOrGoOn();
      });
    }
  }

  #liveBytes() {
    let bytes = COMPACT_BYTES_MIN / COMPACT_FACTOR;
    for (const entity of this.#broker.entities.values()) {
      bytes += entity.bytes + entity.history.size * ITEM_BYTES;
      for (const queue of entity.queues()) bytes += queue.entries.size * ITEM_BYTES;
    }
    return bytes;
  }

  /** Without room for another file the one there is goes on, and is looked at again when it has grown as much. */
  #compactOrGoOn() {
    try {
      this.#compact();
      this.#compactBytes = COMPACT_BYTES_MIN;
    } catch (error) {
      process.stderr.write(`the journal could not be rewritten: ${error.message}\n`);
      this.#compactBytes = this.#size + COMPACT_BYTES_MIN;
    }
  }

  /** Writes what still counts to a new file, and puts that in place of the old one. */
  #compact() {
    const path = this.#path(`${FILE}.new`);
    const file = openSync(path, 'w');
    let size = MAGIC.length;
    try {
      writeAll(file, MAGIC, 0);
      for (const record of snapshot(this.#broker)) {
        const bytes = encode(record);
        writeAll(file, bytes, size);
        size += bytes.length;
      }
      fsyncSync(file);
      renameSync(path, this.#path(FILE));
    } catch (error) {
      closeSync(file);
      rmSync(path, { force: true });
      throw error;
    }
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = file;
    this.#size = size;
  }

  #replay() {
    const file = openSync(this.#path(FILE), 'r');
    try {
      for (const record of records(file, fstatSync(file).size)) this.#broker.apply(record);
    } catch (error) {
      throw error instanceof JournalError
        ? error
        : new JournalError(`--data ${this.#directory} cannot be read (${error.message}); move it away to start with an empty one`);
    } finally {
      closeSync(file);
    }
  }
}

function encode({ messages = [], ...rest }) {
  const head = Buffer.from(JSON.stringify({ ...rest, sizes: messages.map(({ size }) => size) }));
  const frame = Buffer.allocUnsafe(FRAME_BYTES);
  const bytes = Buffer.concat([frame, head, ...messages.map((message) => message.bytes)]);
  bytes.writeUInt32BE(bytes.length, 0);
  bytes.writeUInt32BE(head.length, 8);
  bytes.writeUInt32BE(checksum(bytes.subarray(8)), 4);
  return bytes;
}

function decode(bytes) {
  const headLength = bytes.readUInt32BE(8);
  const { sizes, ...record } = JSON.parse(bytes.toString('utf8', FRAME_BYTES, FRAME_BYTES + headLength));
  let at = FRAME_BYTES + headLength;
  record.messages = sizes.map((size) => new StoredMessage(Buffer.from(bytes.subarray(at, (at += size)))));
  return record;
}

/** Reads records up to the end, or to one that was cut off when the process was killed. */
function* records(file, size) {
  if (!read(file, 0, Math.min(MAGIC.length, size)).equals(MAGIC)) {
    throw new JournalError(`the journal does not begin as one of this version; move it away to start with an empty one`);
  }
  let position = MAGIC.length;
  let window = Buffer.alloc(0);
  while (size - position >= FRAME_BYTES) {
    if (window.length < FRAME_BYTES) window = read(file, position, Math.min(READ_BYTES, size - position));
    const length = window.readUInt32BE(0);
    if (window.length < length) window = read(file, position, Math.min(Math.max(READ_BYTES, length), size - position));
    const bytes = window.subarray(0, length);
    if (length < FRAME_BYTES || checksum(bytes.subarray(8)) !== bytes.readUInt32BE(4)) {
      if (position + length >= size) return; // torn
      throw new JournalError(`the journal is damaged at byte ${position}; move it away to start with an empty one`);
    }
    yield decode(bytes);
    window = window.subarray(length);
    position += length;
  }
}

function read(file, position, length) {
  const bytes = Buffer.allocUnsafe(length);
  let done = 0;
  while (done < length) {
    const count = readSync(file, bytes, done, length - done, position + done);
    if (count === 0) break;
    done += count;
  }
  return bytes.subarray(0, done);
}

function writeAll(file, bytes, position) {
  for (let done = 0; done < bytes.length;) done += writeSync(file, bytes, done, bytes.length - done, position + done);
}

/** FNV-1a over 32-bit words. It is fast, and good enough to detect a torn or damaged record. */
function checksum(bytes) {
  let hash = 0x811c9dc5;
  const words = bytes.length & ~3;
  for (let i = 0; i < words; i += 4) hash = Math.imul(hash ^ bytes.readInt32LE(i), 0x01000193);
  for (let i = words; i < bytes.length; i++) hash = Math.imul(hash ^ bytes[i], 0x01000193);
  return hash >>> 0;
}
