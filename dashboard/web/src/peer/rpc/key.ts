import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";

/** KEY_SIZE of a key, and OPERATOR_SIZE of what all are told of it, in bytes. */
const KEY_SIZE = 16;
const OPERATOR_SIZE = 8;

/**
 * keyFor is the key of the lease of one device, made of the page's secret: each device is told its own, from which none learns that of
 * another one. The browser's own HMAC is missing on pages that came by http.
 */
export function keyFor(secret: string, device: string): string {
	const mac = hmac(sha256, utf8ToBytes(secret), utf8ToBytes(`telepath lease v1\0${device}`));
	return bytesToHex(mac.subarray(0, KEY_SIZE));
}

/** operatorOf is the public id of whoever has a key (section 10.3). */
export function operatorOf(key: string): string {
	return bytesToHex(sha256(utf8ToBytes(key)).subarray(0, OPERATOR_SIZE));
}
