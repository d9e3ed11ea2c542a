import { appendHead, frameSize, type Hop } from "./frame";
import { Reader } from "./reader";
import { FULL_PROBE, TYPE_ECHO, TYPE_PROBE } from "./wire";
import { Writer } from "./writer";

/** Probe asks the other end of a path for an Echo (section 3.5). Times are µs since the Unix epoch on the clock of who wrote them. */
export interface Probe {
	id: number;
	heard: boolean; // something came from the other end on this path within the doubt time; in an Echo it says nothing
	full: boolean; // padded to FULL_PROBE bytes; the echo too
	t1: number;
}

/** Echo answers a Probe: t2 when the probe came, t3 when the echo left. */
export interface Echo extends Probe {
	t2: number;
	t3: number;
}

const HEARD = 1 << 0;
const FULL = 1 << 1;

function readProbe(r: Reader): Probe {
	const id = r.uvarint();
	const flags = r.u8();
	return { id, heard: (flags & HEARD) !== 0, full: (flags & FULL) !== 0, t1: r.uvarint() };
}

/** parseProbe reads a Probe frame's body. */
export function parseProbe(body: Uint8Array): Probe {
	return readProbe(new Reader(body));
}

/** parseEcho reads an Echo frame's body. */
export function parseEcho(body: Uint8Array): Echo {
	const r = new Reader(body);
	return { ...readProbe(r), t2: r.uvarint(), t3: r.uvarint() };
}

/** How much shorter than its frame a full Probe's body may be, in bytes: length, type and hop part, whose conn number a relay rewrites. */
const FULL_HEADROOM = 32;

/**
 * answerProbe is the Echo to the Probe whose frame has this body, which came at t2; it leaves at t3. Only a Probe
 * that was full itself gets a full one: nobody makes us send more than he did.
 */
export function answerProbe(body: Uint8Array, t2: number, t3: number): Echo {
	const probe = parseProbe(body);
	const full = probe.full && body.length + FULL_HEADROOM >= FULL_PROBE;
	return { ...probe, full, t2, t3 };
}

/** appendProbe appends a whole Probe frame, padded if p is full. */
export function appendProbe(w: Writer, h: Hop, p: Probe): Writer {
	return appendPadded(w, TYPE_PROBE, h, writeProbe(p).finish(), p.full);
}

/** appendEcho appends a whole Echo frame, padded if e is full. */
export function appendEcho(w: Writer, h: Hop, e: Echo): Writer {
	return appendPadded(w, TYPE_ECHO, h, writeProbe(e).uvarint(e.t2).uvarint(e.t3).finish(), e.full);
}

function writeProbe(p: Probe): Writer {
	return new Writer()
		.uvarint(p.id)
		.u8((p.heard ? HEARD : 0) | (p.full ? FULL : 0))
		.uvarint(p.t1);
}

/** appendPadded lengthens the body with zeros so that the frame has FULL_PROBE bytes. */
function appendPadded(w: Writer, type: number, h: Hop, body: Uint8Array, full: boolean): Writer {
	let padding = full ? Math.max(0, FULL_PROBE - frameSize(h, body.length)) : 0;
	// The longer frame may need a longer length.
	if (padding > 0) padding -= frameSize(h, body.length + padding) - FULL_PROBE;
	return appendHead(w, type, h, body.length + padding)
		.append(body)
		.zeros(padding);
}
