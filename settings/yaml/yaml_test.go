package yaml

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// show is a node in brackets and braces: text in quotes, all other scalars with the first letter of their kind.
func show(n *Node) string {
	var parts []string
	switch n.Kind {
	case List:
		for _, item := range n.Items {
			parts = append(parts, show(item))
		}
		return "[" + strings.Join(parts, " ") + "]"
	case Map:
		for _, m := range n.Members {
			parts = append(parts, m.Key.Text+":"+show(m.Value))
		}
		return "{" + strings.Join(parts, " ") + "}"
	case Text:
		return fmt.Sprintf("%q", n.Text)
	case Null:
		return "null"
	}
	return fmt.Sprint(n.Value())
}

func showAll(docs []*Node) string {
	var all []string
	for _, n := range docs {
		all = append(all, show(n))
	}
	return strings.Join(all, " --- ")
}

func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		"":                                             "",
		"# nothing\n":                                  "",
		"a: b":                                         `{a:"b"}`,
		"\ufeffa: b\r\nc: d\r\n":                       `{a:"b" c:"d"}`,
		"a:\nb: ~\nc: null\n":                          `{a:null b:null c:null}`,
		"a: 1\nb: -2.5e3\nc: 0x1F\nd: 0o17":            `{a:1 b:-2500 c:31 d:15}`,
		"a: true\nb: FALSE\nc: yes\nd: .5":             `{a:true b:false c:"yes" d:0.5}`,
		"a: 9223372036854775808\nb: 1e999":             `{a:9.223372036854776e+18 b:1e999}`,
		"a: -.inf\nb: .nan":                            `{a:-Inf b:NaN}`,
		"u: http://x:80/#a # c":                        `{u:"http://x:80/#a"}`,
		"a: 'it''s'\nb: \"\\t\\x41\\u00e9\"":           `{a:"it's" b:"\tAé"}`,
		"- a\n- - b\n  - c\n- d: e\n  f: g\n":          `["a" ["b" "c"] {d:"e" f:"g"}]`,
		"a:\n- b\n-\n- c\nd:\n  - e\n":                 `{a:["b" null "c"] d:["e"]}`,
		"a: [b, 'c', {d: 1, \"e\":2}, []]":             `{a:["b" "c" {d:1 e:2} []]}`,
		"a: [\n  b, # c\n  d,\n]\ne: {}":               `{a:["b" "d"] e:{}}`,
		"a: b\n  c\n\n  d\ne: f":                       `{a:"b c\nd" e:"f"}`,
		"a: \"b\n  c\\\n  d\n\n  e\"":                  `{a:"b cd\ne"}`,
		"a: |\n  b\n   c\n\n  d\n\ne: f":               `{a:"b\n c\n\nd\n" e:"f"}`,
		"a: |-\n  b\nc: |+\n  d\n\n":                   `{a:"b" c:"d\n\n"}`,
		"a: >\n  b\n  c\n\n  d\n   e\n  f\n":           `{a:"b c\nd\n e\nf\n"}`,
		"- |2\n    b\n- >1-\n  c":                      `["  b\n" " c"]`,
		"a: &n {b: 1, c: 2}\nd: {<<: *n, c: 3}\ne: *n": `{a:{b:1 c:2} d:{c:3 b:1} e:{b:1 c:2}}`,
		"a: &n\n  b: 1\nc: [&m x, *m, *n]":             `{a:{b:1} c:["x" "x" {b:1}]}`,
		"a: 1\n---\nb: 2\n...\n---\n- c":               `{a:1} --- {b:2} --- ["c"]`,
		"--- text\n...":                                `"text"`,
		"-1":                                           "-1",
		"a: 1\nb: 2\na: 3":                             `3:1: "a" is there twice, first on line 1`,
		"a: !!str 5":                                   "1:4: tags such as !!str are not understood",
		"a: !b {c: d}":                                 "1:4: tags such as !b are not understood",
		"[a, b]: c":                                    "1:1: a key must be text",
		"a: &b [*b]":                                   "more than 100 levels deep",
		"a: {<<: 1}":                                   "1:9: want keys with values after <<",
		deep(200):                                      "1:101: more than 100 levels deep",
		bomb():                                         "more than 10000 values, with what aliases stand for",
	} {
		docs, err := Parse(text)
		got := showAll(docs)
		if err != nil {
			got = err.Error()
		}
		if got != want && (err == nil || !strings.Contains(got, want)) {
			t.Errorf("%.80q\n got %s\nwant %s", text, got, want)
		}
	}
}

// What is no YAML at all is refused by the library, with a line.
func TestSyntax(t *testing.T) {
	for text, line := range map[string]int{
		"a: b: c":              1,
		"a: 1\nb: \"c\nd: e\n": 2,
		"a: [b\nc: d":          2,
		"a: 1\nb":              2,
		"a:\n\tb: c":           2,
		"a: *b":                1,
		"a: \x00":              1,
		"a: \xff":              1,
		deep(20_000):           1,
	} {
		docs, err := Parse(text)
		var e *Error
		if !errors.As(err, &e) || e.Line < 1 || e.Message == "" {
			t.Errorf("%.40q: %v, %v", text, showAll(docs), err)
			continue
		}
		if e.Line < line-1 || e.Line > line+1 { // the library is off by one here and there
			t.Errorf("%.40q: line %d, want about %d: %s", text, e.Line, line, e.Message)
		}
	}
}

func deep(levels int) string { return strings.Repeat("[", levels) + strings.Repeat("]", levels) }

// bomb is a text of a few lines that stands for ten million values.
func bomb() string {
	text := "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
	for i := range 7 {
		text += fmt.Sprintf("a%d: &a%d [%s]\n", i+1, i+1, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i), 10), ", "))
	}
	return text
}

// walk calls visit for a node and all in it.
func walk(n *Node, level int, visit func(n *Node, level int)) {
	visit(n, level)
	for _, item := range n.Items {
		walk(item, level+1, visit)
	}
	for _, m := range n.Members {
		walk(m.Value, level+1, visit)
	}
}

func TestPlaces(t *testing.T) {
	docs, err := Parse("a: [é, b]\nc:\n  - d: 1\n    e: {f: g}\n")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	var walk func(n *Node)
	walk = func(n *Node) {
		got = append(got, fmt.Sprintf("%d:%d", n.Line, n.Column))
		for _, item := range n.Items {
			walk(item)
		}
		for _, m := range n.Members {
			got = append(got, fmt.Sprintf("%s %d:%d", m.Key.Text, m.Key.Line, m.Key.Column))
			walk(m.Value)
		}
	}
	walk(docs[0])
	want := "1:1 a 1:1 1:4 1:5 1:8 c 2:1 3:3 3:5 d 3:5 3:8 e 4:5 4:8 f 4:9 4:12"
	if diff := cmp.Diff(want, strings.Join(got, " ")); diff != "" {
		t.Error(diff)
	}
}

func TestDecode(t *testing.T) {
	type inner struct {
		Min float64  `yaml:"min"`
		On  bool     `yaml:"on"`
		Set []string `yaml:"set"`
	}
	type kind struct {
		inner
		Pin string `yaml:"pin"`
	}
	type outer struct {
		Kinds []kind  `yaml:"kinds"`
		Name  string  `yaml:"name"`
		Axes  []inner `yaml:"axes"`
		One   *inner  `yaml:"one"`
		Loose any     `yaml:"loose"`
	}
	for text, want := range map[string]string{
		"name: 1.50\naxes: [{min: 3, on: true, set: [a, 2, true]}]": "{Kinds:[] Name:1.50 Axes:[{Min:3 On:true Set:[a 2 true]}] One:<nil> Loose:<nil>}",
		"axes:\n- &b {min: .5}\n- <<: *b\n  on: true\n- *b":         "{Kinds:[] Name: Axes:[{Min:0.5 On:false Set:[]} {Min:0.5 On:true Set:[]} {Min:0.5 On:false Set:[]}] One:<nil> Loose:<nil>}",
		"name: ~\naxes: null\nloose: {what: ever}":                  "{Kinds:[] Name: Axes:[] One:<nil> Loose:<nil>}",
		"kinds: [{on: true, pin: a}]":                               "{Kinds:[{inner:{Min:0 On:true Set:[]} Pin:a}] Name: Axes:[] One:<nil> Loose:<nil>}",
		"one: {mni: 3}":                                             `1:7: unknown field "mni"`,
		"one: {min: three}":                                         "1:12: want a number",
		"one: {on: yes}":                                            "1:11: want true or false",
		"one: {set: a}":                                             "1:12: want a list",
		"one: []":                                                   "1:6: want keys with values",
		"name: [a]":                                                 "1:7: want text",
	} {
		docs, err := Parse(text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		var v outer
		got := ""
		if err := docs[0].Decode(&v); err != nil {
			got = err.Error()
		} else {
			got = fmt.Sprintf("%+v", v)
		}
		if got != want {
			t.Errorf("%q\n got %s\nwant %s", text, got, want)
		}
	}
}

// FuzzParse: whatever stands in a file, it is read within bounds, or refused with a place.
func FuzzParse(f *testing.F) {
	for _, text := range examples(f) {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		docs, err := Parse(text)
		if err != nil {
			if e := err.(*Error); e.Line < 1 || e.Line > 2+strings.Count(text, "\n")+strings.Count(text, "\r") || e.Message == "" {
				t.Errorf("the error is nowhere: %v", err)
			}
			return
		}
		values, depth := 0, 0
		for _, n := range docs {
			walk(n, 1, func(_ *Node, level int) { values, depth = values+1, max(depth, level) })
		}
		if values > maxNodes || depth > maxDepth {
			t.Errorf("%d values, %d levels in each other", values, depth)
		}
	})
}

var fenced = regexp.MustCompile("(?s)```yaml\n(.*?)```")

// examples are texts to begin with: those of the documentation, and small ones of each kind.
func examples(f *testing.F) []string {
	list := []string{
		"a: b\nc: [d, {e: f}]\n", "- a\n- - b\n  - c\n- d: e\n  f: g\n", "a: b\n  c\n\n  d\n", "a: \"b\n  c\\\n  d\n\n  e\"", "a: >\n  b\n  c\n\n  d\n   e\n  f\n",
		"a: |+\n  b\n\n", "- |2\n    b\n", "'a': 'it''s'\n", "a:\n- b\n-\n- c\n", "--- x\n...\n", "a: &n {b: 1}\nc: *n\n", "a: # b\n  c # d\n", "{a: [b,\n c d\n e], \"f\":g}",
	}
	for _, name := range []string{"control.md", "running.md"} {
		data, err := os.ReadFile(filepath.Join("..", "..", "docs", name))
		if err != nil {
			f.Fatal(err)
		}
		for _, found := range fenced.FindAllStringSubmatch(string(data), -1) {
			list = append(list, found[1])
		}
	}
	return list
}
