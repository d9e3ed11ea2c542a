package rpc

import (
	"encoding/json"
	"os"
	"testing"
)

// TestKeys: the twin in the browser makes the same ones.
func TestKeys(t *testing.T) {
	text, err := os.ReadFile("testdata/keys.json")
	if err != nil {
		t.Fatal(err)
	}
	var keys []struct{ Secret, Device, Key string }
	if err := json.Unmarshal(text, &keys); err != nil || len(keys) == 0 {
		t.Fatalf("%d keys, %v", len(keys), err)
	}
	for _, k := range keys {
		if have := KeyFor(k.Secret, k.Device); have != k.Key || len(have) > MaxID {
			t.Errorf("%q, %q: %s, want %s", k.Secret, k.Device, have, k.Key)
		}
	}
}
