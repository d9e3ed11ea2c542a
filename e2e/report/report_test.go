package report

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestASectionStaysUntilItIsWrittenAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "page.md")
	page := Page{Title: "# Page\n", Names: []string{"first", "second", "third"}}
	write := func(changed map[string]string) {
		t.Helper()
		sections, err := Read(path)
		if err != nil {
			t.Fatal(err)
		}
		for name, text := range changed {
			sections[name] = text
		}
		if err := page.Write(path, sections); err != nil {
			t.Fatal(err)
		}
	}
	write(map[string]string{"third": "## Three\n\nc\n\n", "first": "## One\n\na <!-- b -->\n", "fourth": "d"})
	write(map[string]string{"third": "## Three\n\nC"})
	want := "# Page\n\n<!-- first -->\n## One\n\na <!-- b -->\n\n<!-- third -->\n## Three\n\nC\n"
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Error(diff)
	}
}
