package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What is run again takes its old place, what is not run stays, and the README shows both in short.
func TestPublish(t *testing.T) {
	dir := t.TempDir()
	page, readme := filepath.Join(dir, "docs", "latest.md"), filepath.Join(dir, "README.md")
	if err := os.WriteFile(readme, []byte("a\n"+markBegin+markEnd+"b\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	parts := bench{}.parts()
	for _, made := range []sections{
		{"peers": "## Side by side\n", "peers-in-short": "| old |\n"},
		{"balance": "## Pole\n", "balance-in-short": "It stands.\n"},
		{"age": "## Age\n"},
		{"peers": "## Side by side, again\n", "peers-in-short": "| new |\n"},
	} {
		if err := publish(page, readme, parts, made); err != nil {
			t.Fatal(err)
		}
	}
	in := func(path string, want ...string) {
		t.Helper()
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		rest, whole := string(text), true
		for _, w := range want {
			_, after, found := strings.Cut(rest, w)
			rest, whole = after, whole && found
		}
		if !whole || strings.Contains(string(text), "old") {
			t.Errorf("%s has %q, want %q in this order", path, text, want)
		}
	}
	in(page, "| new |", "It stands.", "## Age", "## Pole", "## Side by side, again")
	in(readme, "a\n", "| new |", "It stands.", "b\n")
}

func TestWithDate(t *testing.T) {
	if got := withDate("\n## A\n\nText\n\n| |\n"); got != "## A\n\n"+dated()+".\n\nText\n\n| |\n" {
		t.Errorf("%q", got)
	}
}
