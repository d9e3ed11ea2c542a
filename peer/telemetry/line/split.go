package line

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// Item is a part of a body.
type Item struct {
	Line int    // where it begins, from 1
	Text []byte // for Parse
	Err  error  // why there is nothing to parse; else nil
}

var errLong = fmt.Errorf("longer than %d bytes", MaxLength)

// Split takes a body apart, without copying it: one JSON text a line; or one
// array, over as many lines as it likes, of what the lines would be; or one
// SenML pack.
func Split(body []byte) []Item {
	text := bytes.TrimSpace(body)
	if len(text) == 0 {
		return nil
	}
	first := Item{Line: 1 + bytes.Count(body[:bytes.IndexByte(body, text[0])], newline), Text: text}
	switch {
	case !json.Valid(text):
		return splitLines(first)
	case text[0] != '[':
		return []Item{first.bounded()}
	}
	elements := splitArray(first)
	if len(elements) > 0 && isOurs(elements[0].Text) {
		return elements
	}
	return []Item{first}
}

var newline = []byte{'\n'}

// bounded refuses a single text that is too long.
func (i Item) bounded() Item {
	if len(i.Text) > MaxLength {
		return Item{Line: i.Line, Err: errLong}
	}
	return i
}

// isOurs tells one of our objects from a record of SenML, which names no stream.
func isOurs(element []byte) bool {
	var members map[string]json.RawMessage
	if json.Unmarshal(element, &members) != nil {
		return false
	}
	return members["stream"] != nil || members["describe"] != nil
}

// splitArray takes the elements out of an array that is valid JSON.
func splitArray(array Item) (items []Item) {
	decoder := json.NewDecoder(bytes.NewReader(array.Text))
	_, err := decoder.Token() // the bracket
	line, counted := array.Line, 0
	for err == nil && decoder.More() {
		var element json.RawMessage
		if err = decoder.Decode(&element); err != nil { // it is valid
			break
		}
		end := int(decoder.InputOffset())
		begin := end - len(element)
		line, counted = line+bytes.Count(array.Text[counted:begin], newline), begin
		items = append(items, Item{Line: line, Text: array.Text[begin:end]}.bounded())
	}
	return items
}

// splitLines takes a body apart that is no single JSON text. An array that
// spans lines is told as one mistake, not as one for each line.
func splitLines(all Item) (items []Item) {
	line := all.Line
	for text := range bytes.Lines(all.Text) {
		text = bytes.TrimSpace(text)
		switch {
		case len(items) == 0 && text[0] == '[' && len(text) < len(all.Text) && !json.Valid(text):
			return []Item{{Line: line, Err: arrayError(all)}}
		case len(text) > 0:
			items = append(items, Item{Line: line, Text: text}.bounded())
		}
		line++
	}
	return items
}

// arrayError says in which line an array stops being JSON.
func arrayError(array Item) error {
	var elements []json.RawMessage
	err := json.Unmarshal(array.Text, &elements)
	var syntax *json.SyntaxError
	if !errors.As(err, &syntax) {
		return jsonError(err)
	}
	before := array.Text[:min(int(syntax.Offset), len(array.Text))]
	return fmt.Errorf("an array that is not JSON: %w (line %d)", err, array.Line+bytes.Count(before, newline))
}
