import { FormatError } from "./fault";
import { Reader } from "./reader";
import { MAX_AXES } from "./wire";
import type { Writer } from "./writer";

/** Tick is what a device's monotonic clock shows (section 10.2). */
export interface Tick {
	epoch: number; // of this run of the device's program
	at: number; // µs since that began, suspended time included
}

/** Target is where an axis is to go. */
export interface Target {
	axis: number; // its number
	value: number;
}

/** Drive is a heartbeat of who holds the lease, with the setpoints of this moment (section 10.4). */
export interface Drive {
	fence: number; // of the lease
	seq: number; // rises within a lease
	hand: number; // rises only while a hand is there
	tick: Tick; // the newest that was seen
	setpoints: readonly Target[];
}

function readTick(r: Reader): Tick {
	return { epoch: r.u32(), at: r.uvarint() };
}

/** parseTick reads a Tick frame's body. */
export function parseTick(body: Uint8Array): Tick {
	return readTick(new Reader(body));
}

/** appendTick writes a Tick frame's body. */
export function appendTick(w: Writer, { epoch, at }: Tick): Writer {
	return w.u32(epoch).uvarint(at);
}

/** parseDrive reads a Drive frame's body. Values are finite. */
export function parseDrive(body: Uint8Array): Drive {
	const r = new Reader(body);
	const head = { fence: r.uvarint(), seq: r.uvarint(), hand: r.uvarint(), tick: readTick(r) };
	const setpoints: Target[] = [];
	for (let n = r.uvarint(MAX_AXES); n > 0; n--) setpoints.push(readTarget(r));
	return { ...head, setpoints };
}

function readTarget(r: Reader): Target {
	const axis = r.uvarint(MAX_AXES);
	const value = r.f64();
	if (!Number.isFinite(value)) throw new FormatError("range");
	return { axis, value };
}

/** appendDrive writes a Drive frame's body. */
export function appendDrive(w: Writer, { fence, seq, hand, tick, setpoints }: Drive): Writer {
	appendTick(w.uvarint(fence).uvarint(seq).uvarint(hand), tick).uvarint(setpoints.length);
	for (const { axis, value } of setpoints) w.uvarint(axis).f64(value);
	return w;
}
