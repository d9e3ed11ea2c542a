// Package drive moves a device's axes from a terminal's keyboard.
//
// A terminal tells of keys that go down, and repeats them while they are held;
// that one was let go it does not tell. So a key counts as held for keyTime
// after it was told last, and the hand that a Drive proves is the key: its
// counter rises with each key that is told, and with nothing else but the one
// Drive that says neutral when keyTime is over. No key, no hand: then the
// device is safe within its dead-man time, whatever the terminal shows.
package drive

import "bytes"

// key is what people press.
type key int

const (
	other key = iota
	forward
	back
	left
	right
	stop
	quit
	ask
	give
	deny
)

// sequences are what terminals send for arrows, in both of their modes (ECMA-48 CSI, and SS3).
var sequences = map[string]key{
	"\x1b[A": forward, "\x1b[B": back, "\x1b[C": right, "\x1b[D": left,
	"\x1bOA": forward, "\x1bOB": back, "\x1bOC": right, "\x1bOD": left,
}

var letters = map[byte]key{
	'w': forward, 's': back, 'a': left, 'd': right, 'W': forward, 'S': back, 'A': left, 'D': right,
	' ': stop, 'q': quit, 3: quit, 'r': ask, 'g': give, 'n': deny, // 3 is Ctrl-C, which raw terminals send as a byte
}

// keys reads what a terminal sent at once. An escape that nothing known follows is Esc, or what nobody foresaw: a stop.
func keys(sent []byte) (pressed []key) {
	for len(sent) > 0 {
		if sent[0] != 0x1b {
			if k := letters[sent[0]]; k != other {
				pressed = append(pressed, k)
			}
			sent = sent[1:]
			continue
		}
		if len(sent) >= 3 {
			if k, known := sequences[string(sent[:3])]; known {
				pressed, sent = append(pressed, k), sent[3:]
				continue
			}
		}
		pressed = append(pressed, stop)
		rest := bytes.IndexByte(sent[1:], 0x1b)
		if rest < 0 {
			return pressed
		}
		sent = sent[1+rest:]
	}
	return pressed
}
