package line

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// split writes items as "line text" or "line ! error".
func split(body string) (out []string) {
	for _, i := range Split([]byte(body)) {
		if i.Err != nil {
			out = append(out, fmt.Sprintf("%d ! %v", i.Line, i.Err))
			continue
		}
		out = append(out, fmt.Sprintf("%d %s", i.Line, i.Text))
	}
	return out
}

func TestSplit(t *testing.T) {
	const a, b = `{"stream":"a","value":1}`, `{"stream":"b","value":2}`
	for name, c := range map[string]struct {
		body string
		want []string
	}{
		"nothing":              {"", nil},
		"space":                {" \n\t\r\n", nil},
		"a line":               {a, []string{"1 " + a}},
		"lines":                {a + "\n" + b + "\n", []string{"1 " + a, "2 " + b}},
		"DOS lines, some bare": {"\r\n" + a + "\r\n\r\n" + b, []string{"2 " + a, "4 " + b}},
		"a line that is none":  {a + "\nx\n" + b, []string{"1 " + a, "2 x", "3 " + b}},
		"no last line end":     {"x", []string{"1 x"}},
		"an array":             {"[" + a + "," + b + "]", []string{"1 " + a, "1 " + b}},
		"an array on lines":    {"\n[\n" + a + ",\n\n" + b + "\n]\n", []string{"3 " + a, "5 " + b}},
		"with what is none":    {"[" + a + ",\n7]", []string{"1 " + a, "2 7"}},
		"descriptions first":   {`[{"describe":"a"},` + a + "]", []string{`1 {"describe":"a"}`, "1 " + a}},
		"a pack":               {`[{"n":"a","v":1},{"n":"b","v":2}]`, []string{`1 [{"n":"a","v":1},{"n":"b","v":2}]`}},
		"a pack on lines":      {"[{\"n\":\"a\",\n\"v\":1}]", []string{"1 [{\"n\":\"a\",\n\"v\":1}]"}},
		"packs, a line each":   {"[{\"n\":\"a\",\"v\":1}]\n[]", []string{`1 [{"n":"a","v":1}]`, "2 []"}},
		"an object on lines":   {"{\"stream\":\"a\",\n\"value\":1}", []string{"1 {\"stream\":\"a\",\n\"value\":1}"}},
		"a broken array":       {"[" + a + ",\n" + b + ",\n]", []string{"1 ! an array that is not JSON: invalid character ']' looking for beginning of value (line 3)"}},
		"a cut array":          {"[\n" + a + ",", []string{"1 ! an array that is not JSON: unexpected end of JSON input (line 2)"}},
		"a long line":          {a + "\n" + strings.Repeat("x", MaxLength+1), []string{"1 " + a, "2 ! longer than 65536 bytes"}},
		"a long element":       {"[" + a + `,"` + strings.Repeat("x", MaxLength) + `"]`, []string{"1 " + a, "1 ! longer than 65536 bytes"}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, split(c.body)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// FuzzSplit: whatever a body is, nothing of it goes unnoticed, and what comes
// out is part of it, in order, at the line it says.
func FuzzSplit(f *testing.F) {
	for _, body := range []string{
		"", "[", "[]", "\n[\n", "{}\n{}", `[{"stream":1},[[]],null]`, "[1,\n2]x", "\xff\n", "[{\"describe\":\"\\u005b\"}]",
		strings.Repeat("[", 20_000), strings.Repeat("[\n", 200), "\"[\n\"",
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		items := Split(body)
		if (len(items) == 0) != (len(bytes.TrimSpace(body)) == 0) {
			t.Fatalf("%d items", len(items))
		}
		at := 0
		for _, i := range items {
			if i.Err != nil {
				continue
			}
			if len(i.Text) == 0 || len(i.Text) > MaxLength && !json.Valid(i.Text) {
				t.Fatalf("a text of %d bytes", len(i.Text))
			}
			found := bytes.Index(body[at:], i.Text)
			if found < 0 {
				t.Fatalf("%q is not in what is left of the body", i.Text)
			}
			at += found
			if line := 1 + bytes.Count(body[:at], newline); i.Line < 1 || i.Line > 1+bytes.Count(body, newline) || line > i.Line {
				t.Fatalf("%q is said to begin in line %d, it does in line %d", i.Text, i.Line, line)
			}
			at += len(i.Text)
		}
	})
}
