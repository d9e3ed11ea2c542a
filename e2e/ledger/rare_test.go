package ledger

import (
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
)

// rare is how many events go well for each that does not: as many as a long soak makes.
const rare = 100_000

// TestRareFaults: one fault among a hundred thousand, wherever it is, is found, and nothing else is.
func TestRareFaults(t *testing.T) {
	if os.Getenv("TELEPATH_E2E") == "" {
		t.Skip("with the race detector this takes long: `make test-e2e` runs it")
	}
	sent, faultless := straight(rare)
	tests := []struct {
		name string
		harm func(d []Delivered, at int) []Delivered
		want Verdict
	}{
		{"drop", func(d []Delivered, at int) []Delivered { return slices.Delete(d, at, at+1) }, Verdict{Lost: 1}},
		{"repeat", func(d []Delivered, at int) []Delivered { return slices.Insert(d, at+1, d[at]) }, Verdict{Twice: 1}},
		{"swap", func(d []Delivered, at int) []Delivered { d[at], d[at+1] = d[at+1], d[at]; return d }, Verdict{Disorder: 1}},
		{"alter", func(d []Delivered, at int) []Delivered {
			d[at].Text = strings.Replace(d[at].Text, "abc", "abd", 1)
			return d
		}, Verdict{Harmed: 1, Lost: 1}},
	}
	for i, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			at := rand.New(rand.NewPCG(uint64(i), 0)).IntN(rare - 1)
			got := closeBook(sent, test.harm(slices.Clone(faultless), at), nil)
			if got.OK() {
				t.Fatalf("at %d: not found", at)
			}
			got.Sent, got.Delivered, got.Faults = 0, 0, nil
			if got.String() != test.want.String() {
				t.Errorf("at %d: got  %v\nwant %v", at, got, test.want)
			}
		})
	}
}
