/**
 * rpc is how a hand reaches a device: the words of Command and Outcome frames
 * (docs/protocol.md, section 10), and the viewer's half of what becomes of
 * them. It is the twin of Go's peer/rpc: it has no clock and does no I/O, it is
 * handed bytes and `now`.
 */
export { type CallInfo, type Wanted, waitingCall } from "./calls";
export { parse } from "./hear";
export { keyFor } from "./key";
export type { Identity, LeaseInfo } from "./lease";
export * from "./message";
export { encode } from "./say";
export { type StopInfo, Viewer, type ViewerEvents } from "./viewer";
