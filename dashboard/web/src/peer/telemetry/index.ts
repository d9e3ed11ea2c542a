/**
 * telemetry is the format of what streams carry: batches of samples, each a
 * time and a value (docs/protocol.md, section 4), and the description of a
 * stream for those who draw it. It is the twin of Go's peer/telemetry; both run
 * the golden vectors there.
 *
 *     payload = form:u8  t:uvarint  times  values
 *
 * A batch has samples of one kind and decodes alone. A Batch holds columns,
 * typed arrays that are made once: decoding into the same Batch again
 * allocates nothing per sample of numbers and bools.
 */
export { Batch, type Value } from "./batch";
export { append, decode } from "./codec";
export { KINDS, type Kind } from "./kind";
export { type Meta, parseMeta } from "./meta";
