// Package yaml reads YAML 1.2 as far as people write it by hand, and keeps where
// each value stands, for errors with line and column. The syntax is the library's;
// what plain text means, what is refused and how much is read is decided here.
//
// Refused, and named: tags (!!str), keys that are no text, a key that is there twice.
//
// It knows no types of Go but those that Node.Decode lists, and writes nothing.
package yaml

import "fmt"

// Limits of what is read. Programs that want to know how large a text may be at all decide it themselves.
const (
	maxDepth = 100    // levels of lists and keys in each other: who writes by hand needs ten
	maxNodes = 10_000 // values, each counted as often as an alias puts it somewhere
)

// Kind says what a node is.
type Kind uint8

// The kinds of nodes. Null is also a value that is left out.
const (
	Null Kind = iota
	Text
	Bool
	Int
	Float
	List
	Map
)

// Node is a value, where it stands, and what is in it.
type Node struct {
	Kind         Kind
	Line, Column int      // 1-based, in characters; of a Map without braces, its first key's
	Text         string   // of all but List and Map: as it is written, or what quotes hold
	Items        []*Node  // of a List
	Members      []Member // of a Map, in their order
	Shared       bool     // it has an anchor, or stands in place of an alias
}

// Member is a key with its value.
type Member struct {
	Key   *Node // Text
	Value *Node
}

// Error is what is wrong in a text, and where.
type Error struct {
	Line, Column int // 1-based, in characters; column 0: somewhere in that line
	Message      string
}

// Error implements error.
func (e *Error) Error() string {
	if e.Column == 0 {
		return fmt.Sprintf("%d: %s", e.Line, e.Message)
	}
	return fmt.Sprintf("%d:%d: %s", e.Line, e.Column, e.Message)
}

// Failf is an error about the node.
func (n *Node) Failf(format string, args ...any) *Error {
	return &Error{n.Line, n.Column, fmt.Sprintf(format, args...)}
}

// Member is the value under a key of a Map, and the key's node; nil: there is none.
func (n *Node) Member(key string) (name, value *Node) {
	for _, m := range n.Members {
		if m.Key.Text == key {
			return m.Key, m.Value
		}
	}
	return nil, nil
}
