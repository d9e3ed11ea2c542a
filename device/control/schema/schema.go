// Package schema reads the part of JSON Schema of which a form can be made, and
// checks parameters with it: type (object, array, string, number, integer,
// boolean), properties, required, items, enum, minimum, maximum, maxLength, maxItems,
// default, title and description.
//
// Any other keyword is an error, since a constraint that is silently ignored is
// the worst kind. Objects have the properties that they name and no others.
package schema

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"unicode/utf8"
)

// maxDepth bounds how deep a schema goes: forms of more levels nobody fills in.
const maxDepth = 8

// Schema is one that was read.
type Schema struct {
	kind       string // "": any
	properties map[string]*Schema
	required   []string
	items      *Schema
	enum       []any
	minimum    *float64
	maximum    *float64
	maxLength  *int
	maxItems   *int
	fallback   json.RawMessage // nil: none
}

// Error is what is wrong with a schema, and where in it.
type Error struct {
	Path []string // of keys and indices
	Err  error
}

func (e *Error) Error() string {
	var b bytes.Buffer
	for _, key := range e.Path {
		b.WriteString(key + ": ")
	}
	return b.String() + e.Err.Error()
}

func (e *Error) Unwrap() error { return e.Err }

// in puts a key in front of an error's path.
func in(err error, keys ...string) error {
	var at *Error
	if !errors.As(err, &at) {
		at = &Error{Err: err}
	}
	return &Error{append(keys, at.Path...), at.Err}
}

// Parse reads a schema. Its errors are *Error.
func Parse(data []byte) (*Schema, error) { return parse(data, maxDepth) }

func parse(data []byte, depth int) (*Schema, error) {
	if depth == 0 {
		return nil, in(fmt.Errorf("more than %d levels", maxDepth))
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(data, &members); err != nil || members == nil {
		return nil, in(errors.New("want an object, such as {type: number}"))
	}
	s := &Schema{}
	for _, key := range slices.Sorted(maps.Keys(members)) {
		if err := s.keyword(key, members[key], depth); err != nil {
			return nil, in(err, key)
		}
	}
	if err := s.consistent(); err != nil {
		return nil, in(err)
	}
	if fallback, ok := members["default"]; ok {
		if err := s.Check(fallback); err != nil {
			return nil, in(err, "default")
		}
		s.fallback = fallback
	}
	return s, nil
}

var kinds = []string{"object", "array", "string", "number", "integer", "boolean"}

func (s *Schema) keyword(key string, value json.RawMessage, depth int) (err error) {
	switch key {
	case "type":
		if err = json.Unmarshal(value, &s.kind); err != nil || !slices.Contains(kinds, s.kind) {
			return fmt.Errorf("want one of %v", kinds)
		}
		return nil
	case "properties":
		return s.parseProperties(value, depth)
	case "items":
		s.items, err = parse(value, depth-1)
		return err
	case "required":
		err = json.Unmarshal(value, &s.required)
	case "enum":
		if s.enum, err = decode[[]any](value); err == nil && len(s.enum) == 0 {
			err = errors.New("is empty")
		}
	case "minimum":
		err = json.Unmarshal(value, &s.minimum)
	case "maximum":
		err = json.Unmarshal(value, &s.maximum)
	case "maxLength":
		s.maxLength, err = count(value)
	case "maxItems":
		s.maxItems, err = count(value)
	case "title", "description":
		var text string
		err = json.Unmarshal(value, &text)
	case "default":
	default:
		return errors.New("there is no such keyword in what is supported of JSON Schema")
	}
	if err != nil {
		return fmt.Errorf("%.64s is not a value for it", value)
	}
	return nil
}

func (s *Schema) parseProperties(value json.RawMessage, depth int) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(value, &members); err != nil {
		return errors.New("want an object")
	}
	s.properties = map[string]*Schema{}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		p, err := parse(members[name], depth-1)
		if err != nil {
			return in(err, name)
		}
		s.properties[name] = p
	}
	return nil
}

func count(value json.RawMessage) (*int, error) {
	var n *int
	if err := json.Unmarshal(value, &n); err != nil || n == nil || *n < 0 {
		return nil, errors.New("want a number, at least 0")
	}
	return n, nil
}

// consistent refuses constraints that do not belong to the type, or that nothing could fit.
func (s *Schema) consistent() error {
	numeric := s.kind == "number" || s.kind == "integer"
	switch {
	case s.kind == "" && s.enum == nil:
		return errors.New("type is missing")
	case s.kind != "object" && (s.properties != nil || s.required != nil):
		return errors.New("properties and required belong to type object")
	case s.kind != "array" && (s.items != nil || s.maxItems != nil):
		return errors.New("items and maxItems belong to type array")
	case s.kind != "string" && s.maxLength != nil:
		return errors.New("maxLength belongs to type string")
	case !numeric && (s.minimum != nil || s.maximum != nil):
		return errors.New("minimum and maximum belong to type number or integer")
	case s.minimum != nil && s.maximum != nil && *s.minimum > *s.maximum:
		return errors.New("minimum is greater than maximum")
	}
	for _, name := range s.required {
		if s.properties[name] == nil {
			return fmt.Errorf("required names %q, which is not a property", name)
		}
	}
	return nil
}

// Check says what is wrong with a value, in words for who wrote it; nil if nothing is.
func (s *Schema) Check(value json.RawMessage) error {
	v, err := decode[any](value)
	if err != nil {
		return errors.New("is not JSON")
	}
	return s.check(v)
}

// Complete returns a value that fits with the defaults of the properties that were left out, of objects in arrays as well, and
// each member once: of two of the same name the one that was checked.
func (s *Schema) Complete(object json.RawMessage) json.RawMessage {
	if s.items != nil {
		return s.completeItems(object)
	}
	members := map[string]json.RawMessage{}
	if len(s.properties) == 0 || len(object) > 0 && json.Unmarshal(object, &members) != nil || members == nil {
		return object
	}
	for name, p := range s.properties {
		switch given, there := members[name]; {
		case there:
			members[name] = p.Complete(given)
		case p.fallback != nil:
			members[name] = p.fallback
		}
	}
	whole, _ := json.Marshal(members) // what was read can be written
	return whole
}

func (s *Schema) completeItems(array json.RawMessage) json.RawMessage {
	var items []json.RawMessage
	if json.Unmarshal(array, &items) != nil {
		return array
	}
	for i, item := range items {
		items[i] = s.items.Complete(item)
	}
	whole, _ := json.Marshal(items) // what was read can be written
	return whole
}

// decode reads JSON with its numbers as float64, of which those that are too large are refused.
func decode[T any](data []byte) (v T, err error) {
	d := json.NewDecoder(bytes.NewReader(data))
	if err = d.Decode(&v); err == nil {
		if _, more := d.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("something follows it")
		}
	}
	return v, err
}

func (s *Schema) check(v any) error {
	if !s.fits(v) {
		return fmt.Errorf("want type %s", s.kind)
	}
	if s.enum != nil && !slices.ContainsFunc(s.enum, func(e any) bool { return equal(e, v) }) {
		return fmt.Errorf("want one of %v", s.enum)
	}
	switch v := v.(type) {
	case float64:
		if s.minimum != nil && v < *s.minimum {
			return fmt.Errorf("want at least %v", *s.minimum)
		}
		if s.maximum != nil && v > *s.maximum {
			return fmt.Errorf("want at most %v", *s.maximum)
		}
	case string:
		if s.maxLength != nil && utf8.RuneCountInString(v) > *s.maxLength {
			return fmt.Errorf("want at most %d characters", *s.maxLength)
		}
	case []any:
		return s.checkItems(v)
	case map[string]any:
		return s.checkMembers(v)
	}
	return nil
}

const maxInteger = 1 << 53

// fits says whether a value is of the schema's type.
func (s *Schema) fits(v any) bool {
	switch x := v.(type) {
	case float64:
		return s.kind == "" || s.kind == "number" || s.kind == "integer" && x == math.Trunc(x) && math.Abs(x) <= maxInteger
	case string:
		return s.kind == "" || s.kind == "string"
	case bool:
		return s.kind == "" || s.kind == "boolean"
	case []any:
		return s.kind == "array"
	case map[string]any:
		return s.kind == "object"
	}
	return false // null
}

func equal(a, b any) bool {
	switch b.(type) {
	case float64, string, bool:
		return a == b
	}
	return false
}

func (s *Schema) checkItems(items []any) error {
	if s.maxItems != nil && len(items) > *s.maxItems {
		return fmt.Errorf("want at most %d items", *s.maxItems)
	}
	for i, item := range items {
		if s.items == nil {
			return nil
		}
		if err := s.items.check(item); err != nil {
			return fmt.Errorf("%d: %w", i, err)
		}
	}
	return nil
}

func (s *Schema) checkMembers(members map[string]any) error {
	for _, name := range s.required {
		if _, there := members[name]; !there {
			return fmt.Errorf("%s is missing", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		p := s.properties[name]
		if p == nil {
			return fmt.Errorf("there is no %.64q", name)
		}
		if err := p.check(members[name]); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// IsObject says whether values are objects.
func (s *Schema) IsObject() bool { return s.kind == "object" }

// Properties are the names of an object's members, sorted.
func (s *Schema) Properties() []string { return slices.Sorted(maps.Keys(s.properties)) }
