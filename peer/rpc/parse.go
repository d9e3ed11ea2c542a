package rpc

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/telepath-iot/telepath/peer/wire"
)

// Bounds of what stands in a Command or an Outcome, in bytes.
const (
	MaxID   = 64 // of an id, a key and a public id
	MaxName = 64 // of who asks
	MaxWord = 128
)

// ParseCommand reads a Command frame's body. Its type may be one of a later version; what the members of its type must be is
// for who obeys it.
func ParseCommand(body []byte) (Command, error) {
	var c Command
	if err := parse(body, &c); err != nil {
		return Command{}, fmt.Errorf("command: %w", err)
	}
	switch {
	case c.Type == "":
		return Command{}, fmt.Errorf("command without a type")
	case len(c.ID) > MaxID || len(c.Key) > MaxID || len(c.To) > MaxID || len(c.Do) > MaxWord || len(c.Method) > MaxWord || len(c.Type) > MaxWord:
		return Command{}, fmt.Errorf("command %.32q: a member is too long", c.Type)
	case c.Name != "" && wire.CheckName(c.Name, MaxName) != nil:
		return Command{}, fmt.Errorf("command %.32q: name: %w", c.Type, wire.CheckName(c.Name, MaxName))
	case c.By > wire.MaxInt || c.At > wire.MaxInt || c.Fence > wire.MaxInt:
		return Command{}, fmt.Errorf("command %.32q: a number is above 2^53", c.Type)
	}
	return c, nil
}

// ParseOutcome reads an Outcome frame's body.
func ParseOutcome(body []byte) (Outcome, error) {
	var o Outcome
	if err := parse(body, &o); err != nil {
		return Outcome{}, fmt.Errorf("outcome: %w", err)
	}
	switch {
	case o.Type == "":
		return Outcome{}, fmt.Errorf("outcome without a type")
	case len(o.ID) > MaxID:
		return Outcome{}, fmt.Errorf("outcome %.32q: its id is too long", o.Type)
	}
	return o, nil
}

func parse(body []byte, into any) error {
	if len(body) > wire.MaxCommand {
		return fmt.Errorf("%d bytes, more than %d", len(body), wire.MaxCommand)
	}
	if wire.Depth(body) > wire.MaxDepth {
		return fmt.Errorf("nested deeper than %d", wire.MaxDepth)
	}
	return json.Unmarshal(body, into)
}

// Append appends the Command's JSON.
func (c Command) Append(b []byte) []byte { return appendJSON(b, c) }

// Append appends the Outcome's JSON.
func (o Outcome) Append(b []byte) []byte { return appendJSON(b, o) }

func appendJSON(b []byte, v any) []byte {
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)  // it would make six bytes of one, and too much of a result that fits
	if e.Encode(v) != nil { // of texts, numbers and JSON that was parsed: only by a Progress that is no number, or params that are no JSON
		return append(b, `{}`...)
	}
	return append(b, bytes.TrimSuffix(text.Bytes(), []byte{'\n'})...)
}
