// SHA-256 (FIPS 180-4) and HMAC (RFC 2104) of a few bytes. The browser's own are missing on pages that came by http.

const BLOCK = 64; // bytes
/** What a block ends with where the text does: the bit, and its length. */
const TAIL = 9; // bytes
/** KEY_SIZE of a key, in bytes. */
const KEY_SIZE = 16;

/** The first 32 bits of what is behind the point of the roots of the first primes; a double has 18 more, whatever the last ones are. */
function roots(count: number, root: (n: number) => number): Uint32Array {
	const found: number[] = [];
	for (let n = 2; found.length < count; n++) {
		if (!found.some((prime) => n % prime === 0)) found.push(n);
	}
	return Uint32Array.from(found, (prime) => (root(prime) % 1) * 2 ** 32);
}

const K = roots(64, Math.cbrt);
const START = roots(8, Math.sqrt);

const turn = (x: number, by: number) => (x >>> by) | (x << (32 - by));

/** sha256 is the hash of bytes. */
export function sha256(bytes: Uint8Array): Uint8Array {
	const padded = new Uint8Array(Math.ceil((bytes.length + TAIL) / BLOCK) * BLOCK);
	padded.set(bytes);
	padded[bytes.length] = 0x80;
	const view = new DataView(padded.buffer);
	view.setBigUint64(padded.length - 8, BigInt(bytes.length) * 8n);
	const state = Uint32Array.from(START);
	for (let at = 0; at < padded.length; at += BLOCK) compress(state, view, at);
	const hash = new DataView(new ArrayBuffer(32));
	state.forEach((word, i) => {
		hash.setUint32(4 * i, word);
	});
	return new Uint8Array(hash.buffer);
}

function compress(state: Uint32Array, view: DataView, at: number): void {
	const w = new Uint32Array(64);
	for (let i = 0; i < 64; i++) {
		if (i < 16) {
			w[i] = view.getUint32(at + 4 * i);
			continue;
		}
		const [a = 0, b = 0, c = 0, d = 0] = [w[i - 15], w[i - 2], w[i - 16], w[i - 7]];
		w[i] = (turn(a, 7) ^ turn(a, 18) ^ (a >>> 3)) + (turn(b, 17) ^ turn(b, 19) ^ (b >>> 10)) + c + d;
	}
	let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = state;
	for (let i = 0; i < 64; i++) {
		const one = h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + (K[i] ?? 0) + (w[i] ?? 0);
		const two = (turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
		[h, g, f, e, d, c, b, a] = [g, f, e, (d + one) | 0, c, b, a, (one + two) | 0];
	}
	[a, b, c, d, e, f, g, h].forEach((word, i) => {
		state[i] = (state[i] ?? 0) + word;
	});
}

/** hmac is HMAC-SHA-256. */
export function hmac(key: Uint8Array, bytes: Uint8Array): Uint8Array {
	const own = new Uint8Array(BLOCK);
	own.set(key.length > BLOCK ? sha256(key) : key);
	const joined = (pad: number, rest: Uint8Array) => Uint8Array.of(...own.map((byte) => byte ^ pad), ...rest);
	return sha256(joined(0x5c, sha256(joined(0x36, bytes))));
}

/**
 * keyFor is the key of the lease of one device, made of the page's secret: each device is told its own, from which none learns that of
 * another one.
 */
export function keyFor(secret: string, device: string): string {
	const utf8 = new TextEncoder();
	const mac = hmac(utf8.encode(secret), utf8.encode(`telepath lease v1\0${device}`));
	return Array.from(mac.subarray(0, KEY_SIZE), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
