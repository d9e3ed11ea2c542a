//go:build unix

package exec

import (
	"strconv"
	"strings"
	"testing"
)

func itoa(n int) string { return strconv.Itoa(n) }

// numbers reads so many from a file.
func numbers(t *testing.T, file string, want int) (out []int) {
	t.Helper()
	for _, text := range strings.Fields(read(t, file)) {
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, n)
	}
	if len(out) != want {
		t.Fatalf("%v in %s", out, file)
	}
	return out
}
