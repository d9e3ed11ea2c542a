package settings

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/telepath-iot/telepath/settings/yaml"
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
	node *yaml.Node
}

// ReadTree reads a file that is one tree.
func ReadTree(path string) (Tree, error) {
	data, err := readBounded(path)
	if err != nil {
		return Tree{}, err
	}
	docs, err := yaml.Parse(string(data))
	if err != nil {
		return Tree{}, placed(path, err)
	}
	if len(docs) != 1 {
		return Tree{}, fmt.Errorf("%s: want one document with keys and values", path)
	}
	return Tree{path, docs[0]}, nil
}

// Decode reads it into what v points to, as yaml.Node.Decode does. A key that v does not know is an error.
func (t Tree) Decode(v any) error {
	if err := t.node.Decode(v); err != nil {
		return placed(t.path, err)
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
	return at(place).failf(t.path, format, args...)
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
func child(node *yaml.Node, key string) (name, value *yaml.Node) {
	if node.Kind == yaml.Map {
		return node.Member(key)
	}
	if i, err := strconv.Atoi(key); err == nil && i >= 0 && i < len(node.Items) {
		return node.Items[i], node.Items[i]
	}
	return nil, nil
}

// appendJSON writes a node. With an error it returns the node that cannot be written.
func appendJSON(b *bytes.Buffer, node *yaml.Node) (*yaml.Node, error) {
	switch node.Kind {
	case yaml.Map:
		return appendMembers(b, node.Members)
	case yaml.List:
		return appendItems(b, node.Items)
	}
	text, err := json.Marshal(node.Value())
	if err != nil {
		return node, err
	}
	b.Write(text)
	return nil, nil
}

func appendItems(b *bytes.Buffer, items []*yaml.Node) (*yaml.Node, error) {
	b.WriteByte('[')
	for i, item := range items {
		if i > 0 {
			b.WriteByte(',')
		}
		if bad, err := appendJSON(b, item); err != nil {
			return bad, err
		}
	}
	b.WriteByte(']')
	return nil, nil
}

func appendMembers(b *bytes.Buffer, members []yaml.Member) (*yaml.Node, error) {
	b.WriteByte('{')
	for i, m := range members {
		name, err := json.Marshal(m.Key.Text)
		if err != nil {
			return m.Key, err
		}
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(name)
		b.WriteByte(':')
		if bad, err := appendJSON(b, m.Value); err != nil {
			return bad, err
		}
	}
	b.WriteByte('}')
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
