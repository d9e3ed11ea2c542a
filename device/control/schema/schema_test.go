package schema

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestCheck(t *testing.T) {
	s, err := Parse([]byte(`{"type": "object", "required": ["speed"], "title": "Move", "properties": {
		"speed": {"type": "number", "minimum": -1, "maximum": 1, "default": 0.5, "description": "m/s"},
		"steps": {"type": "integer", "maximum": 10},
		"mode":  {"enum": ["fast", "slow", 3]},
		"name":  {"type": "string", "maxLength": 3},
		"on":    {"type": "boolean"},
		"path":  {"type": "array", "maxItems": 2, "items": {"type": "object", "properties": {"x": {"type": "number"}}}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	for value, want := range map[string]string{
		`{"speed": 1, "steps": 10, "mode": 3, "name": "äöü", "on": true, "path": [{"x": 1}, {}]}`: "",
		`{}`:                                 "speed is missing",
		`{"speed": 1.01}`:                    "speed: want at most 1",
		`{"speed": -2}`:                      "speed: want at least -1",
		`{"speed": "1"}`:                     "speed: want type number",
		`{"speed": null}`:                    "speed: want type number",
		`{"speed": 0, "steps": 1.5}`:         "steps: want type integer",
		`{"speed": 0, "steps": 1e300}`:       "steps: want type integer",
		`{"speed": 1e999}`:                   "is not JSON",
		`{"speed": 0, "mode": "Fast"}`:       "mode: want one of [fast slow 3]",
		`{"speed": 0, "name": "1234"}`:       "name: want at most 3 characters",
		`{"speed": 0, "on": 1}`:              "on: want type boolean",
		`{"speed": 0, "path": [1]}`:          "path: 0: want type object",
		`{"speed": 0, "path": [{"y": 1}]}`:   `path: 0: there is no "y"`,
		`{"speed": 0, "path": [{}, {}, {}]}`: "path: want at most 2 items",
		`{"speed": 0, "fast": 1}`:            `there is no "fast"`,
		`[]`:                                 "want type object",
		`{"speed": 0} {"speed": 1}`:          "is not JSON",
		``:                                   "is not JSON",
	} {
		err := s.Check(json.RawMessage(value))
		if err == nil && want != "" || err != nil && err.Error() != want {
			t.Errorf("%s: %v, want %q", value, err, want)
		}
	}
}

func TestComplete(t *testing.T) {
	s, err := Parse([]byte(`{"type": "object", "properties": {
		"speed": {"type": "number", "default": 0.5},
		"steps": {"type": "integer"},
		"at": {"type": "object", "properties": {"x": {"type": "number", "default": 1}}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	for value, want := range map[string]string{
		``:                                `{"speed":0.5}`,
		`null`:                            `null`,
		`{"steps": 9007199254740991}`:     `{"speed":0.5,"steps":9007199254740991}`,
		`{"speed": 0, "at": {}}`:          `{"at":{"x":1},"speed":0}`,
		`{"speed": 0.10, "at": {"x": 2}}`: `{"at":{"x":2},"speed":0.10}`,
	} {
		if got := string(s.Complete(json.RawMessage(value))); got != want {
			t.Errorf("%s: %s, want %s", value, got, want)
		}
	}
}

// What is checked is what is done: of two members of one name only one is handed on, also in an array.
func TestCompleteInArrays(t *testing.T) {
	s, err := Parse([]byte(`{"type": "object", "properties": {"to": {"type": "array", "items": {"type": "object",
		"properties": {"x": {"type": "number", "maximum": 1}, "y": {"type": "number", "default": 2}}}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	value := json.RawMessage(`{"to": [{"x": 9, "x": 1}, {}]}`)
	if err := s.Check(value); err != nil {
		t.Fatal(err)
	}
	if got, want := string(s.Complete(value)), `{"to":[{"x":1,"y":2},{"y":2}]}`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestParseNamesWhatIsWrong(t *testing.T) {
	for text, want := range map[string]string{
		`{"type": "object", "properties": {"a": {"type": "number", "minimun": 1}}}`: "properties: a: minimun: there is no such keyword in what is supported of JSON Schema",
		`{"type": "float"}`:                              "type: want one of [object array string number integer boolean]",
		`{"properties": {}}`:                             "type is missing",
		`{"type": "string", "minimum": 1}`:               "minimum and maximum belong to type number or integer",
		`{"type": "number", "minimum": 2, "maximum": 1}`: "minimum is greater than maximum",
		`{"type": "number", "minimum": 2, "default": 1}`: "default: want at least 2",
		`{"type": "object", "required": ["a"]}`:          `required names "a", which is not a property`,
		`{"type": "string", "maxLength": -1}`:            "maxLength: -1 is not a value for it",
		`{"type": "string", "maxLength": null}`:          "maxLength: null is not a value for it",
		`{"type": "string", "pattern": "a*"}`:            "pattern: there is no such keyword in what is supported of JSON Schema",
		`{"enum": []}`:                                   "enum: [] is not a value for it",
		`{"type": "array", "items": 3}`:                  "items: want an object, such as {type: number}",
		`null`:                                           "want an object, such as {type: number}",
		strings.Repeat(`{"type":"array","items":`, 9) + `{}` + strings.Repeat(`}`, 9): strings.Repeat("items: ", 8) + "more than 8 levels",
	} {
		if _, err := Parse([]byte(text)); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

// Any schema and any value: nothing panics, and what is nonsense as JSON fits nothing.
func FuzzSchema(f *testing.F) {
	f.Add([]byte(`{"type": "object", "properties": {"a": {"enum": [1, [2], {"b": 3}]}}}`), []byte(`{"a": [2]}`))
	f.Add([]byte(`{"type": "array", "items": {"type": "integer"}}`), []byte(`[1, 2.5]`))
	f.Fuzz(func(t *testing.T, schema, value []byte) {
		s, err := Parse(schema)
		if err == nil && s.Check(value) == nil && !json.Valid(value) {
			t.Errorf("%s fits %s", value, schema)
		}
	})
}
