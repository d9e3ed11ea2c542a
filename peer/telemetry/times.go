package telemetry

import "github.com/telepath-iot/telepath/peer/wire"

// maxSigned is the largest magnitude of an svarint.
const maxSigned = 1<<52 - 1

// appendTimes appends the first time and the steps, and sets the regular bit
// of the form at index form. Two samples are as long either way; then, as
// everywhere, the lower form is taken.
func appendTimes(dst []byte, form int, t []int64) ([]byte, error) {
	first := max(t[0], 0)
	if first > wire.MaxInt {
		return dst, wire.ErrRange
	}
	dst = wire.AppendUvarint(dst, uint64(first))
	if step, ok := regular(t); ok {
		dst[form] |= formRegular
		return wire.AppendSvarint(dst, step), nil
	}
	last := first
	for _, at := range t[1:] {
		at = max(at, 0)
		delta := at - last
		if at > wire.MaxInt || delta < -maxSigned || delta > maxSigned {
			return dst, wire.ErrRange
		}
		dst = wire.AppendSvarint(dst, delta)
		last = at
	}
	return dst, nil
}

// regular reports the step between all times, if they have one and writing it
// once is shorter. Times outside the format's range are left to the loop that
// refuses them.
func regular(t []int64) (step int64, ok bool) {
	if len(t) <= 2 {
		return 0, false
	}
	step = t[1] - t[0]
	for i, at := range t {
		if at < 0 || at > wire.MaxInt || i > 0 && at-t[i-1] != step {
			return 0, false
		}
	}
	return step, -maxSigned <= step && step <= maxSigned
}

// NewestTime is the time of a batch's last sample, µs since the Unix epoch on the device's clock, without decoding the rest (protocol,
// section 4). False: it cannot be read.
func NewestTime(payload []byte, count int) (t int64, ok bool) {
	if len(payload) == 0 || count < 1 || count > wire.MaxCount {
		return 0, false
	}
	regular := payload[0]&formRegular != 0
	first, b, err := wire.Uvarint(payload[1:])
	t = int64(first)
	steps, times := count-1, int64(1)
	if regular && steps > 0 {
		steps, times = 1, int64(steps)
	}
	for ; steps > 0 && err == nil; steps-- {
		var step int64
		step, b, err = wire.Svarint(b)
		t += times * step
	}
	return t, err == nil && t >= 0 && t <= wire.MaxInt
}

// decodeTimes fills t from the front of b.
func decodeTimes(t []int64, b []byte, regular bool) (rest []byte, err error) {
	first, b, err := wire.Uvarint(b)
	if err != nil {
		return nil, err
	}
	t[0] = int64(first)
	if len(t) == 1 {
		return b, nil
	}
	if regular {
		return decodeRegular(t, b)
	}
	for i := 1; i < len(t); i++ {
		var delta int64
		if delta, b, err = wire.Svarint(b); err != nil {
			return nil, err
		}
		if t[i] = t[i-1] + delta; t[i] < 0 || t[i] > wire.MaxInt {
			return nil, wire.ErrRange
		}
	}
	return b, nil
}

// decodeRegular fills t from its first time and one step. At most 1,024 steps
// of 2^52 do not overflow.
func decodeRegular(t []int64, b []byte) (rest []byte, err error) {
	step, rest, err := wire.Svarint(b)
	if err != nil {
		return nil, err
	}
	if end := t[0] + int64(len(t)-1)*step; end < 0 || end > wire.MaxInt {
		return nil, wire.ErrRange
	}
	for i := 1; i < len(t); i++ {
		t[i] = t[i-1] + step
	}
	return rest, nil
}
