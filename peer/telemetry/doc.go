// Package telemetry is the format of what streams carry: batches of samples,
// each a time and a value (docs/protocol.md, section 4), and the description
// of a stream for those who draw it.
//
//	payload = form:u8  t:uvarint  times  values
//
// A batch has samples of one [Kind] and decodes alone: whoever joins, or lost
// the batch before, needs nothing else. How many samples it has stands in the
// frame's header, which a relay reads; what they are stands here, which it
// does not. So nothing between a device's sources and a viewer's screen
// imports this package, and a later version may seal the payload.
//
// A [Batch] holds columns, not samples: times in one slice, values in another.
// Decoding into the same Batch again reuses them, and Append writes into the
// caller's slice, so numbers at any rate cost no allocation at either end.
//
// Append takes the smallest of three encodings of numbers by looking at them:
// eight bytes each; four, when nothing is lost by it; or the differences
// between integers, which makes a counter or a scaled reading one byte each.
// Times are one step where samples are regular.
//
// Every value is finite, every text is UTF-8 and every length has a limit:
// both ends check, since neither trusts the other.
package telemetry
