import { FormatError } from "./fault";
import { MAX_INT, MAX_PACKET } from "./wire";

/** Length of the longest uvarint, in bytes. */
const MAX_VARINT = 8;
/** Bytes of a uvarint whose 7 bits each fit the 32-bit operators; the others make the high part. */
const LOW_BYTES = 4;
const LOW_RANGE = 2 ** (7 * LOW_BYTES);
/** High parts from this on make a value beyond 2^53 − 1. */
const HIGH_RANGE = 2 ** (53 - 7 * LOW_BYTES);

/** Reader walks over bytes, big endian. Each method throws a FormatError where Go's twin remembers an error. */
export class Reader {
	private readonly bytes: Uint8Array;
	private at = 0;
	private view: DataView | null = null;

	constructor(bytes: Uint8Array) {
		this.bytes = bytes;
	}

	/** left is the number of bytes not read yet. */
	left(): number {
		return this.bytes.length - this.at;
	}

	u8(): number {
		return this.bytes[this.advance(1)] ?? 0;
	}

	u32(): number {
		return this.dataView().getUint32(this.advance(4));
	}

	f32(): number {
		return this.dataView().getFloat32(this.advance(4));
	}

	f64(): number {
		return this.dataView().getFloat64(this.advance(8));
	}

	/** uvarint reads at most 8 bytes and a value of at most limit. */
	uvarint(limit: number = MAX_INT): number {
		let low = 0;
		let high = 0;
		for (let i = 0; ; i++) {
			const byte = this.bytes[this.at + i];
			if (i === MAX_VARINT) throw new FormatError("range");
			if (byte === undefined) throw new FormatError("short");
			if (i < LOW_BYTES) low |= (byte & 0x7f) << (7 * i);
			else high |= (byte & 0x7f) << (7 * (i - LOW_BYTES));
			if (byte >= 0x80) continue;
			const value = high * LOW_RANGE + low;
			if (high >= HIGH_RANGE || value > limit) throw new FormatError("range");
			this.at += i + 1;
			return value;
		}
	}

	/** svarint reads a zigzag number within ±(2^52 − 1). */
	svarint(): number {
		const zigzag = this.uvarint(MAX_INT - 1);
		return zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
	}

	/** take returns the next n bytes, which alias the reader's. */
	take(n: number): Uint8Array {
		const from = this.advance(n);
		return this.bytes.subarray(from, from + n);
	}

	/** rest takes all that is left. */
	rest(): Uint8Array {
		return this.take(this.left());
	}

	/** skipExt passes over an extension: its length and that many bytes. */
	skipExt(): void {
		this.advance(this.uvarint(MAX_PACKET));
	}

	/** advance passes over n bytes and returns where they begin. */
	private advance(n: number): number {
		if (n > this.left()) throw new FormatError("short");
		const from = this.at;
		this.at += n;
		return from;
	}

	private dataView(): DataView {
		this.view ??= new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.byteLength);
		return this.view;
	}
}
