// Package yaml reads the part of YAML 1.2 that people write by hand, and says
// with line and column what it does not understand.
//
//	keys:   with values, nested by indentation
//	list:
//	- of items, also at the column of their key
//	flow:   [in brackets, {and: braces}]
//	text:   plain, 'single' or "double\tquoted", over several lines
//	block:  |
//	  as it is, or folded after >, with - or + for the line breaks at the end
//	shared: &name {min: 0}
//	again:  {<<: *name, max: 1}    # comments
//
// Refused, and named: tags (!!str), directives (%YAML), keys that are no text
// (? and braces as keys), tabs that indent, a key that is there twice.
//
// It knows no types of Go but those that Node.Decode lists, and writes nothing.
package yaml

import "fmt"

// Limits of what is read. Programs that want to know how large a text may be at all decide it themselves.
const (
	maxDepth = 100    // levels of lists and keys in each other: who writes by hand needs ten
	maxNodes = 10_000 // values that aliases stand for, each counted as often as it stands somewhere
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

	size   int  // how many nodes it is, itself included
	quoted bool // not plain
}

// Member is a key with its value.
type Member struct {
	Key   *Node // Text
	Value *Node
}

// Error is what is wrong in a text, and where.
type Error struct {
	Line, Column int // 1-based, in characters
	Message      string
}

func (e *Error) Error() string { return fmt.Sprintf("%d:%d: %s", e.Line, e.Column, e.Message) }

// Parse reads the documents of a text, usually one. All its errors are *Error.
func Parse(text string) ([]*Node, error) {
	p := newParser(text)
	docs := p.documents()
	if p.err != nil {
		return nil, p.err
	}
	return docs, nil
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
