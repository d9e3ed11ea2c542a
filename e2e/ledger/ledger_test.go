package ledger

import (
	"slices"
	"strings"
	"testing"
)

const epoch = "00c0ffee"

// straight is a faultless run of n events.
func straight(n uint64) (sent []Sent, delivered []Delivered) {
	for i := range n {
		s := Sent{Run: 1, Number: i + 1}
		sent = append(sent, s)
		delivered = append(delivered, Delivered{epoch, s.Number, s.Text(20)})
	}
	return sent, delivered
}

// A checker that has never caught anything proves nothing: each row seeds one fault and names the count that must see it.
func TestSeededFaults(t *testing.T) {
	tests := []struct {
		name string
		harm func(d []Delivered) ([]Delivered, []Gap)
		want Verdict
	}{
		{"none", func(d []Delivered) ([]Delivered, []Gap) { return d, nil }, Verdict{}},
		{"a drop", func(d []Delivered) ([]Delivered, []Gap) { return slices.Delete(d, 4, 5), nil }, Verdict{Lost: 1}},
		{"the tail is missing", func(d []Delivered) ([]Delivered, []Gap) { return d[:7], nil }, Verdict{Lost: 3}},
		{"a duplicate", func(d []Delivered) ([]Delivered, []Gap) { return slices.Insert(d, 5, d[4]), nil }, Verdict{Twice: 1}},
		{"a late duplicate", func(d []Delivered) ([]Delivered, []Gap) { return append(d, d[0]), nil }, Verdict{Twice: 1}},
		{"a swap", func(d []Delivered) ([]Delivered, []Gap) { d[2], d[3] = d[3], d[2]; return d, nil }, Verdict{Disorder: 1}},
		{"a bit flipped", func(d []Delivered) ([]Delivered, []Gap) {
			d[3].Text = strings.Replace(d[3].Text, "abc", "abd", 1)
			return d, nil
		}, Verdict{Harmed: 1, Lost: 1}},
		{"another's number", func(d []Delivered) ([]Delivered, []Gap) { d[9].Seq = 11; return d, nil }, Verdict{Harmed: 1}},
		{"never sent", func(d []Delivered) ([]Delivered, []Gap) {
			return append(d, Delivered{epoch, 11, Sent{1, 11}.Text(20)}), nil
		}, Verdict{Phantom: 1}},
		{"an honest gap", func(d []Delivered) ([]Delivered, []Gap) { return slices.Delete(d, 4, 6), []Gap{{epoch, 5, 6}} }, Verdict{InGaps: 2}},
		{"a gap too short", func(d []Delivered) ([]Delivered, []Gap) { return slices.Delete(d, 4, 6), []Gap{{epoch, 5, 5}} }, Verdict{InGaps: 1, Lost: 1}},
		{"a false gap", func(d []Delivered) ([]Delivered, []Gap) { return d, []Gap{{epoch, 5, 6}} }, Verdict{FalseGaps: 2}},
		{"a gap of another epoch", func(d []Delivered) ([]Delivered, []Gap) { return slices.Delete(d, 4, 5), []Gap{{"00000001", 5, 5}} }, Verdict{Lost: 1}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			sent, delivered := straight(10)
			delivered, gaps := test.harm(delivered)
			got := closeBook(sent, delivered, gaps)
			wantFaults := test.want.Lost+test.want.Twice+test.want.Disorder+test.want.Harmed+test.want.Phantom+test.want.FalseGaps > 0
			if got.OK() == wantFaults {
				t.Errorf("OK = %v: %v", got.OK(), got)
			}
			got.Sent, got.Delivered, got.Faults = 0, 0, nil
			if got.String() != test.want.String() {
				t.Errorf("got  %v\nwant %v", got, test.want)
			}
		})
	}
}

// A producer that was started again numbers from 1 in a new epoch; that is neither a duplicate nor a disorder.
func TestTwoRuns(t *testing.T) {
	sent, delivered := straight(3)
	for n := range uint64(2) {
		s := Sent{Run: 2, Number: n + 1}
		sent = append(sent, s)
		delivered = append(delivered, Delivered{"0000beef", s.Number, s.Text(5)})
	}
	if v := closeBook(sent, delivered, nil); !v.OK() {
		t.Error(v)
	}
}

func closeBook(sent []Sent, delivered []Delivered, gaps []Gap) Verdict {
	var b Book
	for _, s := range sent {
		b.Send(s)
	}
	for _, d := range delivered {
		b.Deliver(d)
	}
	for _, g := range gaps {
		b.Declare(g)
	}
	return b.Close()
}
