package wire

import "strings"

// vectorCase is a golden vector: bytes written by hand from the protocol, and
// what its author says of them.
type vectorCase struct {
	kind, name string
	hex        string // see unhex
	err        string // short, range or version
	loose      bool   // encodes differently: holds what a writer of this version does not write
	value      any    // checked if given; the file shows it in any case
}

var cases = []vectorCase{
	// Section 2.
	{kind: "uvarint", name: "0", hex: "00", value: uint64(0)},
	{kind: "uvarint", name: "127", hex: "7f", value: uint64(127)},
	{kind: "uvarint", name: "128", hex: "80 01", value: uint64(128)},
	{kind: "uvarint", name: "300", hex: "ac 02", value: uint64(300)},
	{kind: "uvarint", name: "2^32", hex: "80 80 80 80 10", value: uint64(1 << 32)},
	{kind: "uvarint", name: "the largest", hex: "ff*7 0f", value: uint64(MaxInt)},
	{kind: "uvarint", name: "longer than necessary", hex: "80 00", loose: true, value: uint64(0)},
	{kind: "uvarint", name: "bytes behind it", hex: "05 ff", loose: true, value: uint64(5)},
	{kind: "uvarint", name: "one too large", hex: "80*7 10", err: "range"},
	{kind: "uvarint", name: "nine bytes", hex: "80*8 00", err: "range"},
	{kind: "uvarint", name: "eight bytes without end", hex: "80*8", err: "range"},
	{kind: "uvarint", name: "no end", hex: "80", err: "short"},
	{kind: "uvarint", name: "nothing", hex: "", err: "short"},
	{kind: "svarint", name: "0", hex: "00", value: int64(0)},
	{kind: "svarint", name: "-1", hex: "01", value: int64(-1)},
	{kind: "svarint", name: "1", hex: "02", value: int64(1)},
	{kind: "svarint", name: "-64", hex: "7f", value: int64(-64)},
	{kind: "svarint", name: "64", hex: "80 01", value: int64(64)},
	{kind: "svarint", name: "the largest", hex: "fe ff*6 0f", value: int64(1<<52 - 1)},
	{kind: "svarint", name: "the smallest", hex: "fd ff*6 0f", value: int64(-(1<<52 - 1))},
	{kind: "svarint", name: "one too small", hex: "ff*7 0f", err: "range"},
	{kind: "svarint", name: "no end", hex: "81", err: "short"},

	// Sections 3 and 3.1.
	{kind: "packet", name: "empty", hex: ""},
	{kind: "packet", name: "one of each type", hex: "03 01 00 aa  03 02 00 bb  03 03 00 cc  03 04 00 dd  03 05 00 ee  04 06 00 7b 7d"},
	{kind: "packet", name: "empty bodies", hex: "02 01 00  02 06 00"},
	{kind: "packet", name: "unknown type, to be skipped", hex: "03 63 00 01  03 02 00 02"},
	{
		kind: "packet", name: "conn number", hex: "05 01 01 ac 02 aa",
		value: []frameValue{{TypeData, hopValue{Conn: 300}, "aa"}},
	},
	{
		kind: "packet", name: "retained, held 1500 ms", hex: "05 01 02 dc 0b aa",
		value: []frameValue{{TypeData, hopValue{Retained: true, Held: 1500}, "aa"}},
	},
	{kind: "packet", name: "retained, held 0 ms", hex: "03 01 02 00"},
	{kind: "packet", name: "priority low", hex: "02 01 04"},
	{kind: "packet", name: "priority high", hex: "02 01 08"},
	{kind: "packet", name: "priority urgent", hex: "02 04 0c"},
	{
		kind: "packet", name: "store", hex: "03 01 10 aa",
		value: []frameValue{{TypeData, hopValue{Store: true}, "aa"}},
	},
	{
		kind: "packet", name: "all of the hop", hex: "05 01 1f 07 05 aa",
		value: []frameValue{{TypeData, hopValue{Conn: 7, Retained: true, Held: 5, Priority: Urgent, Store: true}, "aa"}},
	},
	{
		kind: "packet", name: "extension, to be skipped", hex: "07 01 81 07 02 ff ff aa", loose: true,
		value: []frameValue{{TypeData, hopValue{Conn: 7}, "aa"}},
	},
	{kind: "packet", name: "empty extension", hex: "04 01 80 00 aa", loose: true},
	{
		kind: "packet", name: "unknown flags", hex: "03 01 60 aa", loose: true,
		value: []frameValue{{TypeData, hopValue{}, "aa"}},
	},
	{kind: "packet", name: "conn number 0", hex: "04 01 01 00 aa", loose: true},
	{kind: "packet", name: "length of two bytes", hex: "82 01 01 00 aa*128"},
	{kind: "packet", name: "length longer than necessary", hex: "83 00 01 00 aa", loose: true},
	{kind: "packet", name: "length 0", hex: "03 01 00 aa  00  03 01 00 bb", err: "short"},
	{kind: "packet", name: "length leaves the packet", hex: "03 01 00 aa  04 01 00 bb", err: "short"},
	{kind: "packet", name: "length without end", hex: "03 01 00 aa  80", err: "short"},
	{kind: "packet", name: "huge length", hex: "ff*7 0f 01 00", err: "short"},
	{kind: "packet", name: "too large length", hex: "ff*8 01 00", err: "range"},
	{kind: "packet", name: "no flags", hex: "01 01", err: "short"},
	{kind: "packet", name: "conn number missing", hex: "02 01 01", err: "short"},
	{kind: "packet", name: "conn number does not end in the frame, the next one stands", hex: "03 01 01 80  02 01 00", err: "short"},
	{kind: "packet", name: "one without flags between two that stand", hex: "03 01 00 aa  01 01  03 02 00 bb", err: "short"},
	{kind: "packet", name: "one that is broken, and then a length 0", hex: "04 01 01 ff*2  03 01 00 aa  00  03 01 00 bb", err: "short"},
	{kind: "packet", name: "held missing", hex: "03 01 03 05", err: "short"},
	{kind: "packet", name: "extension leaves the frame, the next one stands", hex: "04 01 80 02 aa  02 01 00", err: "short"},
	{kind: "packet", name: "huge extension", hex: "06 01 80 80 80 08 aa", err: "range"},

	// Section 3.2.
	{
		kind: "data", name: "live", hex: "14 00 05 01 02 03 04 07 02 de ad",
		value: dataValue{"live", 5, 0x01020304, 7, 2, 0, 0, false, "dead"},
	},
	{kind: "data", name: "signal", hex: "10 00 01 00 00 00 01 01 01 00"},
	{kind: "data", name: "call", hex: "11 00 01 00 00 00 01 01 01 00"},
	{kind: "data", name: "event", hex: "12 00 01 00 00 00 01 01 01 00"},
	{kind: "data", name: "setpoint", hex: "13 00 01 00 00 00 01 01 01 00"},
	{kind: "data", name: "history", hex: "15 00 01 00 00 00 01 01 01 00"},
	{kind: "data", name: "no payload", hex: "12 00 01 00 00 00 01 01 01"},
	{
		kind: "data", name: "the largest of all", hex: "12 00 ff ff 03 ff ff ff ff ff f7 ff*5 0f 80 08",
		value: dataValue{"event", 65535, 0xffffffff, MaxInt - MaxCount, 1024, 0, 0, false, ""},
	},
	{
		kind: "data", name: "deadline 250 ms", hex: "14 01 05 01 02 03 04 07 02 fa 01 dead",
		value: dataValue{"live", 5, 0x01020304, 7, 2, 250, 0, false, "dead"},
	},
	{
		kind: "data", name: "key", hex: "14 02 05 01 02 03 04 07 02 09 dead",
		value: dataValue{"live", 5, 0x01020304, 7, 2, 0, 9, false, "dead"},
	},
	{
		kind: "data", name: "will", hex: "12 04 05 01 02 03 04 01 01 dead",
		value: dataValue{"event", 5, 0x01020304, 1, 1, 0, 0, true, "dead"},
	},
	{
		kind: "data", name: "all flags", hex: "12 07 05 01 02 03 04 01 01 03 04 dead",
		value: dataValue{"event", 5, 0x01020304, 1, 1, 3, 4, true, "dead"},
	},
	{
		kind: "data", name: "extension, to be skipped", hex: "14 83 05 01 02 03 04 07 02 fa 01 09 03 aa bb cc dead", loose: true,
		value: dataValue{"live", 5, 0x01020304, 7, 2, 250, 9, false, "dead"},
	},
	{kind: "data", name: "unknown flags", hex: "14 78 05 01 02 03 04 07 02 dead", loose: true},
	{kind: "data", name: "deadline 0 is none", hex: "14 01 05 01 02 03 04 07 02 00 dead", loose: true},
	{kind: "data", name: "version 0", hex: "04 00 05 01 02 03 04 07 02 dead", err: "version"},
	{kind: "data", name: "version only", hex: "24", err: "short"},
	{kind: "data", name: "version 2", hex: "24 00", err: "version"},
	{kind: "data", name: "class 6", hex: "16 00 05 01 02 03 04 07 02 dead", err: "range"},
	{kind: "data", name: "class 15", hex: "1f 00 05 01 02 03 04 07 02 dead", err: "range"},
	{kind: "data", name: "stream 0", hex: "14 00 00 01 02 03 04 07 02 dead", err: "range"},
	{kind: "data", name: "stream 65536", hex: "14 00 80 80 04 01 02 03 04 07 02 dead", err: "range"},
	{kind: "data", name: "epoch 0", hex: "14 00 05 00 00 00 00 07 02 dead", err: "range"},
	{kind: "data", name: "seq 0", hex: "14 00 05 01 02 03 04 00 02 dead", err: "range"},
	{kind: "data", name: "seq too large for its batch", hex: "12 00 01 00 00 00 01 80 f8 ff*5 0f 01", err: "range"},
	{kind: "data", name: "count 0", hex: "14 00 05 01 02 03 04 07 00 dead", err: "range"},
	{kind: "data", name: "count 1025", hex: "14 00 05 01 02 03 04 07 81 08 dead", err: "range"},
	{kind: "data", name: "epoch cut", hex: "14 00 05 01 02 03", err: "short"},
	{kind: "data", name: "deadline missing", hex: "14 01 05 01 02 03 04 07 02", err: "short"},
	{kind: "data", name: "key missing", hex: "14 03 05 01 02 03 04 07 02 05", err: "short"},
	{kind: "data", name: "extension cut", hex: "14 80 05 01 02 03 04 07 02 05 aa", err: "short"},
	{kind: "data", name: "empty", hex: "", err: "short"},

	// Section 3.3.
	{kind: "ack", name: "of nothing", hex: "00 00", value: ackValue{0, []positionValue{}}},
	{
		kind: "ack", name: "a position", hex: "00 01  05 01 02 03 04 07 00",
		value: ackValue{0, []positionValue{{5, 0x01020304, 7, [][2]uint64{}}}},
	},
	{
		kind: "ack", name: "durable, with ranges", hex: "01 02  05 01 02 03 04 07 02 01 01 02 03  ac 02 00 00 00 01 00 01 09 01",
		value: ackValue{1, []positionValue{
			{5, 0x01020304, 7, [][2]uint64{{9, 9}, {12, 14}}},
			{300, 1, 0, [][2]uint64{{10, 10}}},
		}},
	},
	{kind: "ack", name: "32 ranges", hex: "00 01 05 00 00 00 01 00 20 01*64"},
	{kind: "ack", name: "256 positions", hex: "00 80 02 " + strings.Repeat("05 00 00 00 01 07 00 ", 256)},
	{kind: "ack", name: "a range up to the largest", hex: "00 01 05 00 00 00 01 00 01 01 fe ff*6 0f"},
	{kind: "ack", name: "bytes behind it", hex: "00 01 05 01 02 03 04 07 00 ff ff", loose: true},
	{kind: "ack", name: "257 positions", hex: "00 81 02 " + strings.Repeat("05 00 00 00 01 07 00 ", 257), err: "range"},
	{kind: "ack", name: "33 ranges", hex: "00 01 05 00 00 00 01 00 21 01*66", err: "range"},
	{kind: "ack", name: "skip 0", hex: "00 01 05 00 00 00 01 07 01 00 01", err: "range"},
	{kind: "ack", name: "length 0", hex: "00 01 05 00 00 00 01 07 01 01 00", err: "range"},
	{kind: "ack", name: "a range beyond the largest", hex: "00 01 05 00 00 00 01 07 01 01 ff*7 0f", err: "range"},
	{kind: "ack", name: "a position missing", hex: "00 02 05 00 00 00 01 07 00", err: "short"},
	{kind: "ack", name: "a range missing", hex: "00 01 05 00 00 00 01 07 02 01 01", err: "short"},
	{kind: "ack", name: "half a range", hex: "00 01 05 00 00 00 01 07 01 01", err: "short"},
	{kind: "ack", name: "level only", hex: "00", err: "short"},
	{kind: "ack", name: "empty", hex: "", err: "short"},

	// Section 3.4.
	{kind: "gap", name: "ring", hex: "05 01 02 03 04 07 ac 02 01", value: gapValue{5, 0x01020304, 7, 300, GapRing}},
	{kind: "gap", name: "one sample", hex: "05 01 02 03 04 07 07 01"},
	{kind: "gap", name: "nobody knows how many", hex: "05 01 02 03 04 07 00 02", value: gapValue{5, 0x01020304, 7, 0, GapRestart}},
	{kind: "gap", name: "unknown position", hex: "05 01 02 03 04 07 08 03"},
	{kind: "gap", name: "refused", hex: "05 01 02 03 04 07 08 04"},
	{kind: "gap", name: "a reason of a later version", hex: "05 01 02 03 04 07 08 63"},
	{kind: "gap", name: "bytes behind it", hex: "05 01 02 03 04 07 08 01 ff", loose: true},
	{kind: "gap", name: "stream 0", hex: "00 01 02 03 04 07 08 01", err: "range"},
	{kind: "gap", name: "from 0", hex: "05 01 02 03 04 00 08 01", err: "range"},
	{kind: "gap", name: "backward", hex: "05 01 02 03 04 08 07 01", err: "range"},
	{kind: "gap", name: "reason missing", hex: "05 01 02 03 04 07 08", err: "short"},

	// Section 3.5.
	{
		kind: "probe", name: "heard", hex: "0c 04 00 2a 01 80 80 89 8b 94 8b 91 03",
		value: probeValue{Hop: hopValue{}, ID: 42, Heard: true, T1: 1764000000000000},
	},
	{kind: "probe", name: "end to end through the relay", hex: "06 04 0d 07 01 00 64"},
	{
		kind: "probe", name: "full", hex: "ca 08 04 00 01 02 64 00*1093",
		value: probeValue{ID: 1, Full: true, T1: 100},
	},
	{kind: "probe", name: "full and heard, with conn number", hex: "ca 08 04 01 05 01 03 64 00*1092"},
	{kind: "probe", name: "padding of another length", hex: "09 04 00 2a 01 64 00 00 00 00", loose: true},
	{kind: "probe", name: "unknown flags", hex: "05 04 00 2a fc 64", loose: true},
	{kind: "probe", name: "no time", hex: "04 04 00 2a 01", err: "short"},
	{kind: "probe", name: "no flags", hex: "03 04 00 2a", err: "short"},
	{kind: "echo", name: "cut in the middle of t3", hex: "08 05 00 2a 01 64 96 01 c8", err: "short"},
	{
		kind: "echo", name: "heard", hex: "09 05 00 2a 01 64 96 01 c8 01",
		value: probeValue{Hop: hopValue{}, ID: 42, Heard: true, T1: 100, T2: 150, T3: 200},
	},
	{kind: "echo", name: "full", hex: "ca 08 05 00 01 02 64 65 66 00*1091"},
	{kind: "echo", name: "padding", hex: "09 05 00 2a 00 64 65 66 00 00", loose: true},
	{kind: "echo", name: "t3 missing", hex: "07 05 00 2a 01 64 96 01", err: "short"},

	// Section 3.7.
	{kind: "serial", name: "the first, nothing asked", hex: "01 00", value: serialValue{Number: 1}},
	{kind: "serial", name: "all flags", hex: "ac 02 07", value: serialValue{300, true, true, true}},
	{kind: "serial", name: "unknown flags, bytes behind", hex: "05 f1 aa", loose: true, value: serialValue{Number: 5, Ask: true}},
	{kind: "serial", name: "number 0", hex: "00 00", err: "range"},
	{kind: "serial", name: "no flags", hex: "05", err: "short"},
	{kind: "receipt", name: "all came", hex: "0a e8 07 01 0a 00", value: receiptValue{10, 1000, [][2]uint64{{10, 0}}}},
	{kind: "receipt", name: "two holes", hex: "14 00 02 01 02 03 01", value: receiptValue{20, 0, [][2]uint64{{1, 2}, {3, 1}}}},
	{kind: "receipt", name: "nothing said", hex: "14 00 00", value: receiptValue{20, 0, [][2]uint64{}}},
	{kind: "receipt", name: "a run of none", hex: "14 00 01 00 02", err: "range"},
	{kind: "receipt", name: "more than there are", hex: "03 00 01 02 02", err: "range"},
	{kind: "receipt", name: "more than are spoken of", hex: "80 08 00 02 80 02 00 01 00", err: "range"},
	{kind: "receipt", name: "too many runs", hex: "80 08 00 21 01 01*65", err: "range"},
	{kind: "receipt", name: "a run short", hex: "14 00 02 01 02 03", err: "short"},
	{kind: "parity", name: "of two", hex: "02 01 04 00 03 aa bb cc dd", value: parityValue{[]uint64{1, 4}, 3, "aabbccdd"}},
	{kind: "parity", name: "of none", hex: "00 00 00", value: parityValue{[]uint64{}, 0, ""}},
	{kind: "parity", name: "lag 0", hex: "01 00 00 01 aa", err: "range"},
	{kind: "parity", name: "lags not ascending", hex: "02 04 04 00 01 aa", err: "range"},
	{kind: "parity", name: "too far back", hex: "01 21 00 01 aa", err: "range"},
	{kind: "parity", name: "too many", hex: "09 01 02 03 04 05 06 07 08 09 00 01", err: "range"},
	{kind: "parity", name: "no length", hex: "01 01 00", err: "short"},

	// Sections 10.2 and 10.4.
	{kind: "tick", name: "plain", hex: "0a 0b 0c 0d ac 02", value: tickValue{0x0a0b0c0d, 300}},
	{kind: "tick", name: "the largest", hex: "ff ff ff ff ff ff ff ff ff ff ff 0f", value: tickValue{1<<32 - 1, MaxInt}},
	{kind: "tick", name: "bytes behind", hex: "00 00 00 01 05 aa bb", loose: true, value: tickValue{1, 5}},
	{kind: "tick", name: "no time", hex: "0a 0b 0c 0d", err: "short"},
	{kind: "tick", name: "half an epoch", hex: "0a 0b", err: "short"},
	{kind: "tick", name: "time above 2^53", hex: "00 00 00 01 80 80 80 80 80 80 80 10", err: "range"},
	{kind: "drive", name: "one axis", hex: "01 02 03 00 00 00 04 05 01 06 bf f8 00 00 00 00 00 00", value: driveValue{
		1, 2, 3, tickValue{4, 5}, []targetValue{{6, -1.5}},
	}},
	{kind: "drive", name: "no axis", hex: "01 02 03 00 00 00 04 05 00", value: driveValue{1, 2, 3, tickValue{4, 5}, []targetValue{}}},
	{kind: "drive", name: "two axes, bytes behind", hex: "ac 02 01 01 00 00 00 01 01 02 01 00*8 20 3f f0 00*6 aa", loose: true, value: driveValue{
		300, 1, 1, tickValue{1, 1}, []targetValue{{1, 0}, {32, 1}},
	}},
	{kind: "drive", name: "as many axes as there may be", hex: "01 01 01 00 00 00 01 01 20" + strings.Repeat(" 01 00*8", MaxAxes)},
	{kind: "drive", name: "one axis too many", hex: "01 01 01 00 00 00 01 01 21" + strings.Repeat(" 01 00*8", MaxAxes+1), err: "range"},
	{kind: "drive", name: "an axis above the last", hex: "01 01 01 00 00 00 01 01 01 21 00*8", err: "range"},
	{kind: "drive", name: "not a number", hex: "01 01 01 00 00 00 01 01 01 01 7f f8 00*6", err: "range"},
	{kind: "drive", name: "infinite", hex: "01 01 01 00 00 00 01 01 01 01 ff f0 00*6", err: "range"},
	{kind: "drive", name: "half a value", hex: "01 01 01 00 00 00 01 01 01 01 3f f0", err: "short"},
	{kind: "drive", name: "fewer axes than said", hex: "01 01 01 00 00 00 01 01 02 01 00*8", err: "short"},
	{kind: "drive", name: "no tick", hex: "01 01 01", err: "short"},
}

// nameCases are names of devices and streams, section 3.6.
var nameCases = []goldenName{
	{"cpu", 64, true},
	{"Büro 2 · 温度", 64, true},
	{"a/b.c-d_e", 64, true},
	{"👩‍🚀", 64, false}, // joined by a zero-width character
	{"", 64, false},
	{strings.Repeat("x", 64), 64, true},
	{strings.Repeat("x", 65), 64, false},
	{strings.Repeat("ü", 33), 64, false}, // 66 bytes
	{strings.Repeat("x", 128), 128, true},
	{" x", 64, false},
	{"x ", 64, false},
	{"x\ty", 64, false},
	{"x\ny", 64, false},
	{"x\u0000y", 64, false},
	{"x\u007fy", 64, false},
	{"x\u0085y", 64, false},
	{"x\u200by", 64, false}, // zero-width space
	{"x\u202ey", 64, false}, // right-to-left override
	{"x\u2066y", 64, false}, // isolate
	{"x\u2028y", 64, false}, // line separator
	{"x\u2029y", 64, false},
	{"x\ufeffy", 64, false},
	{"x\u00ady", 64, false}, // soft hyphen
	{"x\ufffdy", 64, false},
	{"x\u00a0y", 64, true}, // no-break space shows as a space
}
