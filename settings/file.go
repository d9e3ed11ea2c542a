package settings

import (
	"errors"
	"fmt"
	"os"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// maxFile bounds a configuration file, in bytes: a person wrote it, and the
// parser takes minutes over a megabyte of brackets.
const maxFile = 64 << 10

// entry is one setting of a file.
type entry struct {
	key          string // the flag's name
	values       []string
	tree         *Tree // of a section, in place of values
	line, column int   // 1-based
}

// failf words an error as file:line:column: what is wrong.
func (e entry) failf(path, format string, args ...any) error {
	return fmt.Errorf("%s:%d:%d: %w", path, e.line, e.column, fmt.Errorf(format, args...))
}

func readFile(path string, sections map[string]bool) ([]entry, error) {
	data, err := readBounded(path)
	if err != nil {
		return nil, err
	}
	return parseFile(path, data, sections)
}

func readBounded(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("configuration file: %w", err)
	}
	if info.Size() > maxFile {
		return nil, fmt.Errorf("configuration file %s has %d bytes, more than %d", path, info.Size(), maxFile)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("configuration file: %w", err)
	}
	return data, nil
}

func parseFile(path string, data []byte, sections map[string]bool) ([]entry, error) {
	file, err := parser.ParseBytes(data, 0)
	if err != nil {
		return nil, syntaxError(path, err)
	}
	w := walker{path: path, sections: sections, seen: map[string]entry{}}
	for _, doc := range file.Docs {
		if doc.Body == nil || doc.Body.Type() == ast.NullType || doc.Body.Type() == ast.CommentType {
			continue
		}
		if err := w.mapping("", doc.Body); err != nil {
			return nil, err
		}
	}
	return w.entries, nil
}

func syntaxError(path string, err error) error {
	var positioned interface {
		error
		GetToken() *token.Token
		GetMessage() string
	}
	if errors.As(err, &positioned) && positioned.GetToken() != nil {
		p := positioned.GetToken().Position
		return entry{line: p.Line, column: p.Column}.failf(path, "%s", positioned.GetMessage())
	}
	return fmt.Errorf("%s: %w", path, err)
}

// walker flattens nested keys into names of flags: tls: {ca: F} becomes tls-ca.
type walker struct {
	path     string
	sections map[string]bool // keys whose trees are left as they are
	entries  []entry
	seen     map[string]entry
}

func (w *walker) mapping(prefix string, node ast.Node) error {
	switch n := node.(type) {
	case *ast.MappingNode:
		for _, value := range n.Values {
			if err := w.pair(prefix, value); err != nil {
				return err
			}
		}
		return nil
	case *ast.MappingValueNode:
		return w.pair(prefix, n)
	}
	return at(node).failf(w.path, "want keys with values, such as server: http://localhost:8080")
}

func (w *walker) pair(prefix string, pair *ast.MappingValueNode) error {
	here := at(pair.Key)
	key := prefix + pair.Key.GetToken().Value
	switch pair.Value.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		if w.sections[key] {
			return w.add(key, here, entry{tree: &Tree{w.path, pair.Value}})
		}
		return w.mapping(key+"-", pair.Value)
	case *ast.NullNode, nil:
		return nil // "key:" with nothing behind it is a setting left out
	}
	e, err := valueOf(pair.Value)
	if err != nil {
		return at(pair.Value).failf(w.path, "%s: %w", key, err)
	}
	return w.add(key, here, e)
}

func (w *walker) add(key string, here, e entry) error {
	e.key, e.line, e.column = key, here.line, here.column
	if first, twice := w.seen[key]; twice {
		return e.failf(w.path, "%q is set twice, first in line %d", key, first.line)
	}
	w.seen[key] = e
	w.entries = append(w.entries, e)
	return nil
}

// valueOf reads a scalar or a list of scalars.
func valueOf(node ast.Node) (entry, error) {
	sequence, list := node.(*ast.SequenceNode)
	if !list {
		text, err := scalar(node)
		return entry{values: []string{text}}, err
	}
	e := entry{values: make([]string, 0, len(sequence.Values))}
	for _, item := range sequence.Values {
		text, err := scalar(item)
		if err != nil {
			return entry{}, err
		}
		e.values = append(e.values, text)
	}
	return e, nil
}

func scalar(node ast.Node) (string, error) {
	switch n := node.(type) {
	case *ast.StringNode:
		return n.Value, nil
	case *ast.LiteralNode:
		return n.Value.Value, nil
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return n.GetToken().Value, nil
	}
	return "", errors.New("want text, a number, true or false, or a list of these")
}

func at(node ast.Node) entry {
	p := node.GetToken().Position
	return entry{line: p.Line, column: p.Column}
}
