// Limits, types and classes: the constants of sections 3, 3.6 and 5.

/** Limits of section 3.6, in bytes unless named otherwise. */
export const MAX_PACKET = 65536;
export const MAX_SIGNAL = 60000;
export const MAX_DATA = 16384;
/** MAX_LIVE_DATA is for a data channel: one Live frame in one IP packet. */
export const MAX_LIVE_DATA = 1100;
export const MAX_SDP = 16384;
export const MAX_CANDIDATE = 1024;
export const MAX_OPEN_HEADER = 4096;
/** MAX_STREAMS of one device. */
export const MAX_STREAMS = 256;
export const MAX_STREAM_ID = 65535;
/** HISTORY_STREAM is that of frames of class History: no device's own. */
export const HISTORY_STREAM = 65535;
export const MAX_STREAM_NAME = 128;
export const MAX_DEVICE_NAME = 64;
/** MAX_TEXT is for one text or bytes value. */
export const MAX_TEXT = 8192;
/** MAX_COUNT samples are in a batch. */
export const MAX_COUNT = 1024;
export const MAX_ACK_ENTRIES = 256;
export const MAX_ACK_RANGES = 32;
/** MAX_COMMAND is for the JSON of a Command or an Outcome. */
export const MAX_COMMAND = 16384;
/** MAX_AXES bounds the axes of a device, and so the setpoints of a Drive. */
export const MAX_AXES = 32;
/** FULL_PROBE is the length of a carrier's first probe frame and of its echo. */
export const FULL_PROBE = 1100;
/** MAX_INT is the largest integer on the wire: what a number holds exactly. */
export const MAX_INT = Number.MAX_SAFE_INTEGER;

/** The frame types (section 3). Others are skipped. */
export const TYPE_DATA = 1;
export const TYPE_ACK = 2;
export const TYPE_GAP = 3;
export const TYPE_PROBE = 4;
export const TYPE_ECHO = 5;
export const TYPE_SIGNAL = 6;
export const TYPE_SERIAL = 7;
export const TYPE_RECEIPT = 8;
export const TYPE_PARITY = 9;
export const TYPE_TICK = 10;
export const TYPE_DRIVE = 11;
export const TYPE_COMMAND = 12;
export const TYPE_OUTCOME = 13;

/** CLASSES are the delivery classes (section 5), in the order of their numbers on the wire. */
export const CLASSES = ["signal", "call", "event", "setpoint", "live", "history"] as const;

/** Class is a delivery class. It alone decides order, loss, queueing and replay. */
export type Class = (typeof CLASSES)[number];

/** parseClass finds a class by its name; null if none has it. */
export function parseClass(name: string): Class | null {
	return CLASSES.find((known) => known === name) ?? null;
}

/** DropReason says why a frame or a sample was dropped: the reasons of section 5.3. */
export type DropReason =
	| "queue-full"
	| "deadline"
	| "duplicate"
	| "replaced"
	| "old-epoch"
	| "unknown-stream"
	| "malformed"
	| "sealed"
	| "no-path"
	| "limit"
	| "role";
