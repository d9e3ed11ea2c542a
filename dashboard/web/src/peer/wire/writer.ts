import { FormatError } from "./fault";

/** Room at first, in bytes: acknowledgements and small batches fit. */
const FIRST = 256;

/** Writer appends to bytes that grow, big endian: what a slice and append are in Go. */
export class Writer {
	private bytes = new Uint8Array(FIRST);
	private view = new DataView(this.bytes.buffer);
	private n = 0;

	get length(): number {
		return this.n;
	}

	u8(value: number): this {
		const at = this.grow(1);
		this.view.setUint8(at, value);
		return this;
	}

	u32(value: number): this {
		const at = this.grow(4);
		this.view.setUint32(at, value);
		return this;
	}

	f32(value: number): this {
		const at = this.grow(4);
		this.view.setFloat32(at, value);
		return this;
	}

	f64(value: number): this {
		const at = this.grow(8);
		this.view.setFloat64(at, value);
		return this;
	}

	/** uvarint appends an integer of 0 … 2^53 − 1 as LEB128. */
	uvarint(value: number): this {
		if (!Number.isSafeInteger(value) || value < 0) throw new FormatError("range");
		let left = value;
		for (; left >= 0x80; left = Math.floor(left / 0x80)) this.u8((left % 0x80) | 0x80);
		return this.u8(left);
	}

	/** svarint appends an integer within ±(2^52 − 1) as zigzag LEB128. */
	svarint(value: number): this {
		return this.uvarint(value < 0 ? -2 * value - 1 : 2 * value);
	}

	append(bytes: Uint8Array): this {
		const at = this.grow(bytes.length);
		this.bytes.set(bytes, at);
		return this;
	}

	/** zeros appends n of them. */
	zeros(n: number): this {
		const from = this.grow(n);
		this.bytes.fill(0, from, from + n);
		return this;
	}

	/** patch ors bits into a byte that was written. */
	patch(at: number, bits: number): this {
		this.view.setUint8(at, this.view.getUint8(at) | bits);
		return this;
	}

	/** finish returns a copy of what was written and begins anew with the same room. */
	finish(): Uint8Array<ArrayBuffer> {
		const done = this.bytes.slice(0, this.n);
		this.n = 0;
		return done;
	}

	/** grow makes room for n bytes and returns where they begin. It may replace bytes and view: call it before using them. */
	private grow(n: number): number {
		const from = this.n;
		this.n += n;
		if (this.n > this.bytes.length) {
			const larger = new Uint8Array(Math.max(this.n, 2 * this.bytes.length));
			larger.set(this.bytes);
			this.bytes = larger;
			this.view = new DataView(larger.buffer);
		}
		return from;
	}
}
