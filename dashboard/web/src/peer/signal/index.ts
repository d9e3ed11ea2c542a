/**
 * signal has the JSON messages of Signal frames (docs/protocol.md, section 6):
 * what links and Conns say to one another beside the data. It is the viewer's
 * half of Go's peer/signal: parse reads what a viewer hears, encode writes what
 * it says.
 *
 * All messages are idempotent: who hears one twice is where it was.
 *
 * What comes from a server or a device is not trusted. Its size and depth are
 * limited before it is parsed, every member is narrowed to its type once, and
 * texts that people will see lose what is not printable.
 */
export { type Device, type DeviceState, parseDevice } from "./device";
export { parse, type Refusal, type ToViewer } from "./hear";
export { type EpochSeq, formatEpoch, formatPosition, parseEpoch, parsePosition } from "./position";
export { appendSignal, encode, type FromViewer, type Offer } from "./say";
export type { TurnServer } from "./server";
export { parseStream, type Stream } from "./stream";
