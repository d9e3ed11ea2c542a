/**
 * wire is telepath's byte format: packets of frames, and what is in them. It
 * is the twin of Go's peer/wire, name for name and byte for byte: both run the
 * golden vectors in peer/wire/testdata. docs/protocol.md is normative; sections
 * are cited from there.
 *
 *     packet = frame*
 *     frame  = length:uvarint  type:u8  hop  body
 *
 * Parse functions take bytes and return values that alias them; append
 * functions write to a Writer. Whatever the bytes are, a parser returns or
 * throws a FormatError, and nothing else. Nothing here allocates by a length
 * that came from the network, has a clock or does I/O.
 *
 * Bytes behind the last known field are ignored, frames of unknown types are
 * for the caller to skip: that is how later versions add to the format.
 */
export { appendAck, LEVEL_DURABLE, LEVEL_RECEIVED, type Position, parseAck, type Range } from "./ack";
export { CODES, type Code, closeCode, codeByClose, codeByName, type Retry } from "./code";
export { appendHeader, type Header, last, parseData } from "./data";
export { appendDrive, appendTick, type Drive, parseDrive, parseTick, type Target, type Tick } from "./drive";
export { type Fault, FormatError } from "./fault";
export { appendFrame, eachFrame, type Frame, frameSize, type Hop, hop, nextFrame, type Priority } from "./frame";
export { appendGap, GAP_REASONS, type Gap, gapReasonName, parseGap } from "./gap";
export { parseJSON } from "./json";
export { Members } from "./members";
export { checkName, clean, plain, printable } from "./name";
export { answerProbe, appendEcho, appendProbe, type Echo, type Probe, parseEcho, parseProbe } from "./probe";
export { Reader } from "./reader";
export {
	appendParity,
	appendReceipt,
	appendSerial,
	MAX_LAG,
	MAX_PARITIES,
	MAX_RECEIPT,
	MAX_RECEIPT_RUNS,
	type Parity,
	parseParity,
	parseReceipt,
	parseSerial,
	type Receipt,
	type Run,
	type Serial,
} from "./serial";
export * from "./wire";
export { Writer } from "./writer";
