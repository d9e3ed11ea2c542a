package settings

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Section is the value of a flag that says more than a line can: in the
// configuration file it is a tree under the flag's name; the flag and the
// environment name a file that holds that tree alone (Set).
type Section interface {
	pflag.Value
	SetTree(Tree) error // its errors say file, line and column
}

// Tree is a part of a YAML file.
type Tree struct {
	path string
	node ast.Node
}

// ReadTree reads a file that is one tree.
func ReadTree(path string) (Tree, error) {
	data, err := readBounded(path)
	if err != nil {
		return Tree{}, err
	}
	file, err := parser.ParseBytes(data, 0)
	if err != nil {
		return Tree{}, syntaxError(path, err)
	}
	if len(file.Docs) != 1 || file.Docs[0].Body == nil {
		return Tree{}, fmt.Errorf("%s: want one document with keys and values", path)
	}
	return Tree{path, file.Docs[0].Body}, nil
}

// Decode reads it into what v points to. A key that v does not know is an error.
func (t Tree) Decode(v any) error {
	if err := yaml.NodeToValue(t.node, v, yaml.Strict()); err != nil {
		return syntaxError(t.path, err)
	}
	return nil
}

// Errorf words an error about what the keys lead to, or as far as they do. An index of a list is a key, too.
func (t Tree) Errorf(keys []string, format string, args ...any) error {
	node, place := t.node, t.node
	for _, key := range keys {
		name, next := child(node, key)
		if next == nil {
			break
		}
		node, place = next, name
	}
	return at(begin(place)).failf(t.path, format, args...)
}

// begin is where a node begins for who reads the file: a mapping in lines of its own with its first key.
func begin(node ast.Node) ast.Node {
	switch n := node.(type) {
	case *ast.MappingValueNode:
		return n.Key
	case *ast.MappingNode:
		if !n.IsFlowStyle && len(n.Values) > 0 {
			return n.Values[0].Key
		}
	}
	return node
}

// JSON is what the keys lead to, as JSON with its members in their order; nil: nothing is there.
func (t Tree) JSON(keys ...string) (json.RawMessage, error) {
	node := t.node
	for _, key := range keys {
		if _, node = child(node, key); node == nil {
			return nil, nil
		}
	}
	var b bytes.Buffer
	if bad, err := appendJSON(&b, node); err != nil {
		return nil, at(bad).failf(t.path, "%w", err)
	}
	return b.Bytes(), nil
}

// child is the value under a key, behind that key, or in a place of a list; nil: there is none.
func child(node ast.Node, key string) (name, value ast.Node) {
	switch n := node.(type) {
	case *ast.MappingValueNode:
		if n.Key.GetToken().Value == key {
			return n.Key, n.Value
		}
	case *ast.MappingNode:
		for _, v := range n.Values {
			if v.Key.GetToken().Value == key {
				return v.Key, v.Value
			}
		}
	case *ast.SequenceNode:
		if i, err := strconv.Atoi(key); err == nil && i >= 0 && i < len(n.Values) {
			return n.Values[i], n.Values[i]
		}
	}
	return nil, nil
}

// appendJSON writes a node. With an error it returns the node that cannot be written.
func appendJSON(b *bytes.Buffer, node ast.Node) (ast.Node, error) {
	switch n := node.(type) {
	case *ast.MappingValueNode:
		return appendMembers(b, []*ast.MappingValueNode{n})
	case *ast.MappingNode:
		return appendMembers(b, n.Values)
	case *ast.SequenceNode:
		for i, item := range n.Values {
			b.WriteString([]string{"[", ","}[min(i, 1)])
			if bad, err := appendJSON(b, item); err != nil {
				return bad, err
			}
		}
		b.WriteString([]string{"[]", "]"}[min(len(n.Values), 1)])
		return nil, nil
	case *ast.NullNode:
		b.WriteString("null")
		return nil, nil
	case *ast.StringNode, *ast.LiteralNode, *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		var v any
		err := yaml.NodeToValue(node, &v)
		text, errJSON := json.Marshal(v)
		if err = errors.Join(err, errJSON); err != nil {
			return node, err
		}
		b.Write(text)
		return nil, nil
	}
	return node, errors.New("want text, a number, true or false, a list or keys with values")
}

func appendMembers(b *bytes.Buffer, members []*ast.MappingValueNode) (ast.Node, error) {
	for i, m := range members {
		name, err := json.Marshal(m.Key.GetToken().Value)
		if err != nil {
			return m, err
		}
		b.WriteString([]string{"{", ","}[min(i, 1)])
		b.Write(name)
		b.WriteByte(':')
		if bad, err := appendJSON(b, m.Value); err != nil {
			return bad, err
		}
	}
	b.WriteString([]string{"{}", "}"}[min(len(members), 1)])
	return nil, nil
}

// sections are the names of the flags of a program that are sections.
func sections(root *cobra.Command) map[string]bool {
	names := map[string]bool{}
	root.Flags().VisitAll(func(f *pflag.Flag) {
		if _, ok := f.Value.(Section); ok {
			names[f.Name] = true
		}
	})
	for _, sub := range root.Commands() {
		for name := range sections(sub) {
			names[name] = true
		}
	}
	return names
}
