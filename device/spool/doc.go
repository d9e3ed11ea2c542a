// Package spool keeps what a device publishes on its disk, for those who were
// not there: an append-only log in segments, bounded by bytes and age.
//
//	Append ─▶ waiting (memory) ─▶ written (the system has it) ─▶ durable (the disk has it)
//	              ≤ 100 ms                    ≤ 1 s
//
// What is written survives the end of the program, also kill -9; what is
// durable survives a power cut. Memory is never called stored: Durable says up
// to where the disk has confirmed.
//
//	NNNNNNNNNNNNNNNN.seg = head record* footer trailer    N: its number, hexadecimal, rising
//	NNNNNNNNNNNNNNNN-NNNNNNNNNNNNNNNN.seg               the same, merged of those from the first to the last number
//	head    = "telespl1"
//	record  = length:u32  crc:u32  kind:u8  body       length counts kind and body, the CRC-32C covers them
//	trailer = offset:u64  "tail"  crc:u32              of the footer
//
//	kind 1 batch   at:uvarint, body of a Data frame (docs/protocol.md, section 3.2)
//	kind 2 stream  epoch:u32  stream:uvarint  class:u8  length:uvarint  name  meta
//	kind 3 gap     as in section 3.4: samples that were never written
//	kind 4 footer  what is in the segment
//	kind 5 end     epoch:u32: that run of the program ended orderly, nothing of it was lost behind this
//	kind 6 final   epoch:u32  stream:uvarint  seq:uvarint: in front of the end, of each stream of the run, its last sample
//
// Numbers are big endian, uvarint as in section 2, times µs since the Unix
// epoch on the device's clock, and nothing but labels: order and age come
// from the log itself, so that a clock that is set deletes nothing and moves nothing.
//
// Kinds that a version does not know it reads past. In a footer a stream's last
// sample is the final one, in the segment with the end: so a reader can tell
// whether what it has of a run is all of it when nothing else of the stream is left.
//
// Each segment stands for itself: a stream's record precedes its first batch in
// it, so the oldest segment can go at any time. A segment that was closed has
// a footer, which is all that a start reads of it. One that was cut off is read
// through once, up to its last whole record.
//
// Small segments are merged when there are many. What was merged counts from when
// the first of those that it was made of is gone for good; until then they do.
// Its records are theirs, of several runs perhaps, and the labels of its batches
// may be of several settings of the clock: "last" in its footer is the one that dates it.
//
// A disk that fails or is full harms nobody: the segment that could not be
// written is given up at its last durable record, what was not durable is written
// again into a new one, the oldest segments make room, and what finds none in
// memory meanwhile is refused and declared in a gap record.
//
// With Refuse nothing makes room but age: a producer that finds none is told so,
// and decides itself.
package spool
