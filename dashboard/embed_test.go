package dashboard

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
)

func page(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }

func TestChoose(t *testing.T) {
	sorry := fstest.MapFS{"unbuilt/index.html": page("sorry")}
	cases := map[string]struct {
		built fstest.MapFS
		want  string
	}{
		"only the placeholder":  {fstest.MapFS{"dist/.keep": page("")}, "sorry"},
		"assets without a page": {fstest.MapFS{"dist/assets/a.js": page("a")}, "sorry"},
		"built":                 {fstest.MapFS{"dist/index.html": page("real")}, "real"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := fs.ReadFile(choose(c.built, sorry), "index.html")
			if err != nil || string(got) != c.want {
				t.Errorf("index.html = %q, %v; want %q", got, err, c.want)
			}
		})
	}
}

func TestFilesAlwaysHasAPage(t *testing.T) {
	got, err := fs.ReadFile(Files(), "index.html")
	if err != nil {
		t.Fatal(err)
	}
	if !Built() && !strings.Contains(string(got), "make build") {
		t.Errorf("the page for an unbuilt dashboard does not say how to build it:\n%s", got)
	}
}
