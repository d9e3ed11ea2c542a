package safety

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// axis is the number of the one that there is.
const axis = 1

// book is the actuator's own: what its programs wrote down when they ran.
type book struct{ file, config string }

// motor is the actuator. It starts nothing itself but what a call waits for, so that it is quick; and what makes safe stands by.
const motor = `#!/bin/bash
[ "$1" = safe ] && read -r _
echo "$EPOCHREALTIME $1 $2" >>%s
[ "$1" = note ] || exit 0
sleep "$3"
echo "$EPOCHREALTIME noted $2" >>%s
`

func newBook(dir string) (b book, err error) {
	b = book{filepath.Join(dir, "ledger"), filepath.Join(dir, "control.yaml")}
	path := filepath.Join(dir, "motor")
	config := fmt.Sprintf(`name: rover
exec:
  safe: [%[1]s, safe]
  standby: true
  axes:
    - {name: speed, min: -1, max: 1, set: [%[1]s, set, "{value}"]}
  methods:
    - name: note
      rate: 1000
      params:
        type: object
        required: [what, seconds]
        properties: {what: {type: string}, seconds: {type: number}}
      run: [%[1]s, note, "{what}", "{seconds}"]
`, path)
	return b, errors.Join(
		os.WriteFile(path, fmt.Appendf(nil, motor, b.file, b.file), 0o755),
		os.WriteFile(b.config, []byte(config), 0o600),
	)
}

// entry is a line: set VALUE, safe, note WHAT, noted WHAT.
type entry struct {
	at         time.Time
	what, with string
}

// moves says whether it sets the axis to something that is not neutral.
func (e entry) moves() bool { return e.what == "set" && e.with != "0" }

func (b book) read() (all []entry, err error) {
	text, err := os.ReadFile(b.file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // nothing was done yet
		return nil, err
	}
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) < 2 || !strings.HasSuffix(line, "\n") {
			continue // it was killed while it wrote, or is about to
		}
		us, err := strconv.ParseInt(strings.Replace(fields[0], ".", "", 1), 10, 64)
		if err != nil {
			return nil, fmt.Errorf("the actuator's book: %q", line)
		}
		all = append(all, entry{time.UnixMicro(us), fields[1], strings.Join(fields[2:], " ")})
	}
	return all, nil
}

// since are the entries from a time on.
func (b book) since(t time.Time) ([]entry, error) {
	all, err := b.read()
	for i, e := range all {
		if !e.at.Before(t) {
			return all[i:], err
		}
	}
	return nil, err
}

// await waits until the entries since a time fit.
func (b book) await(what string, since time.Time, most time.Duration, fits func([]entry) bool) error {
	for end := time.Now().Add(most); ; time.Sleep(20 * time.Millisecond) {
		got, err := b.since(since)
		if err != nil || fits(got) {
			return err
		}
		if time.Now().After(end) {
			return fmt.Errorf("%s: not within %v", what, most)
		}
	}
}

func anyMoves(entries []entry) bool {
	for _, e := range entries {
		if e.moves() {
			return true
		}
	}
	return false
}

// rest is when the axis came to rest for good; false: it moves at the end.
func rest(entries []entry) (at time.Time, rests bool) {
	for _, e := range entries {
		switch {
		case e.moves():
			rests = false
		case e.what == "safe" && !rests, e.what == "set" && !rests:
			at, rests = e.at, true
		}
	}
	return at, rests
}
