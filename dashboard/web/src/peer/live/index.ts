/**
 * live mends the Live channel of one path, whose packets are lost. It is the
 * pure half of docs/protocol.md, section 7.5, and the twin of the receiving end
 * in Go's peer/live: both play the scenarios in peer/live/testdata. A page
 * publishes nothing, so it has no sending end.
 */
export { In } from "./in";
