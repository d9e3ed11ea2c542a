package netcheck

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/telepath-iot/telepath/dashboard/term/view"
)

// Text prints a table for people. What came from the network is escaped.
type Text struct {
	Out    io.Writer
	Colour bool
}

// The widths of the table's columns, in characters. The last one has no bound.
const (
	nameWidth    = 12
	verdictWidth = 7
	tookWidth    = 8
)

// The escape sequences of verdicts (ECMA-48, section 8.3.117).
var colours = map[Verdict]string{OK: "\x1b[32m", Failed: "\x1b[31m", Unknown: "\x1b[33m"}

const plain = "\x1b[0m"

// Head prints the table's head.
func (t Text) Head() error {
	return t.row("CHECK", fmt.Sprintf("%-*s", verdictWidth, "VERDICT"), "TIME", "DETAIL")
}

// Check prints a row, and below it what is wrong and what to do.
func (t Text) Check(c Check) error {
	verdict := fmt.Sprintf("%-*s", verdictWidth, c.Verdict)
	if t.Colour {
		verdict = colours[c.Verdict] + verdict + plain
	}
	took := "–"
	if c.Took > 0 {
		took = short(c.Took)
	}
	detail := c.Detail
	if c.Verdict == Unknown {
		detail = joined("; ", c.Reason, c.Detail)
	}
	if err := t.row(c.Name, verdict, took, view.Escape(detail)); err != nil {
		return err
	}
	return t.advice(c)
}

func (t Text) advice(c Check) error {
	words := c.Remedy
	if c.Verdict == Failed {
		words = c.Failure + ": " + joined("; ", c.Reason, c.Remedy)
	}
	if words == "" {
		return nil
	}
	return t.row("", strings.Repeat(" ", verdictWidth), "", view.Escape(words))
}

func (t Text) row(name, verdict, took, detail string) error {
	line := fmt.Sprintf("%-*s  %s  %*s  %s", nameWidth, name, verdict, tookWidth, took, detail)
	_, err := fmt.Fprintln(t.Out, strings.TrimRight(line, " "))
	return err
}

// Summary prints the last line.
func (t Text) Summary(s Summary) error {
	expected := s.Expected
	if expected == "" {
		expected = "unknown"
	}
	_, err := fmt.Fprintf(t.Out, "\nexpected path: %s, because %s\n", expected, view.Escape(s.Because))
	return err
}

// short is view.Short, with another digit where a millisecond is long.
func short(d time.Duration) string {
	if d < time.Millisecond {
		return fmt.Sprintf("%.2f ms", d.Seconds()*1000)
	}
	return view.Short(d)
}

// joined are those of the parts that are not empty.
func joined(separator string, parts ...string) string {
	var list []string
	for _, part := range parts {
		if part != "" {
			list = append(list, part)
		}
	}
	return strings.Join(list, separator)
}
