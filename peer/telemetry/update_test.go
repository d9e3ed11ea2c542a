package telemetry

import (
	"encoding/json"
	"maps"
	"os"
	"slices"
	"testing"
)

// writeVectors makes the golden file anew: a deliberate act after a change of
// the format, whose difference is then read line by line.
func writeVectors(t *testing.T) {
	t.Helper()
	batches := encoded()
	out := []byte("[\n")
	for _, name := range slices.Sorted(maps.Keys(batches)) {
		payload, err := Append(nil, batches[name])
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		out = appendLine(t, out, vectorOf(name, batches[name], payload))
	}
	for _, v := range others() {
		out = appendLine(t, out, v)
	}
	out = append(out[:len(out)-2], "\n]\n"...)
	if err := os.MkdirAll("testdata", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(vectorsFile, out, 0o644); err != nil {
		t.Fatal(err)
	}
}

func appendLine(t *testing.T, out []byte, v vector) []byte {
	t.Helper()
	line, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return append(append(out, line...), ",\n"...)
}
