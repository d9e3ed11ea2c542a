package settings

import (
	"errors"
	"fmt"
	"os"

	"github.com/telepath-iot/telepath/settings/yaml"
)

// maxFile bounds a configuration file, in bytes: a person wrote it.
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
		return nil, fmt.Errorf("configuration file %s has %d bytes: want at most %d", path, info.Size(), maxFile)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("configuration file: %w", err)
	}
	return data, nil
}

func parseFile(path string, data []byte, sections map[string]bool) ([]entry, error) {
	docs, err := yaml.Parse(string(data))
	if err != nil {
		return nil, placed(path, err)
	}
	w := walker{path: path, sections: sections, seen: map[string]entry{}}
	for _, doc := range docs {
		if doc.Kind == yaml.Null {
			continue
		}
		if err := w.mapping("", doc); err != nil {
			return nil, err
		}
	}
	return w.entries, nil
}

// placed words an error about a text as file:line:column: what is wrong.
func placed(path string, err error) error {
	var at *yaml.Error
	if errors.As(err, &at) {
		if at.Column == 0 {
			return fmt.Errorf("%s:%d: %s", path, at.Line, at.Message)
		}
		return entry{line: at.Line, column: at.Column}.failf(path, "%s", at.Message)
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

func (w *walker) mapping(prefix string, node *yaml.Node) error {
	if node.Kind != yaml.Map {
		return at(node).failf(w.path, "want keys with values, such as server: http://localhost:8080")
	}
	for _, m := range node.Members {
		if err := w.member(prefix, m); err != nil {
			return err
		}
	}
	return nil
}

func (w *walker) member(prefix string, m yaml.Member) error {
	here := at(m.Key)
	key := prefix + m.Key.Text
	switch {
	case m.Value.Kind == yaml.Map && w.sections[key]:
		return w.add(key, here, entry{tree: &Tree{w.path, m.Value}})
	case m.Value.Shared: // what a setting is stands at its key: only sections are long enough for more
		return at(m.Value).failf(w.path, "%s: %w", key, errNoScalar)
	case m.Value.Kind == yaml.Map:
		return w.mapping(key+"-", m.Value)
	case m.Value.Kind == yaml.Null:
		return nil // "key:" with nothing behind it is a setting left out
	}
	e, err := valueOf(m.Value)
	if err != nil {
		return at(m.Value).failf(w.path, "%s: %w", key, err)
	}
	return w.add(key, here, e)
}

func (w *walker) add(key string, here, e entry) error {
	e.key, e.line, e.column = key, here.line, here.column
	if first, twice := w.seen[key]; twice {
		return e.failf(w.path, "%q is set twice, first on line %d", key, first.line)
	}
	w.seen[key] = e
	w.entries = append(w.entries, e)
	return nil
}

// valueOf reads a scalar or a list of scalars.
func valueOf(node *yaml.Node) (entry, error) {
	if node.Kind != yaml.List {
		text, err := scalar(node)
		return entry{values: []string{text}}, err
	}
	e := entry{values: make([]string, 0, len(node.Items))}
	for _, item := range node.Items {
		text, err := scalar(item)
		if err != nil {
			return entry{}, err
		}
		e.values = append(e.values, text)
	}
	return e, nil
}

var errNoScalar = errors.New("want text, a number, true or false, or a list of these")

func scalar(node *yaml.Node) (string, error) {
	switch node.Kind {
	case yaml.Text, yaml.Bool, yaml.Int, yaml.Float:
		return node.Text, nil
	}
	return "", errNoScalar
}

func at(node *yaml.Node) entry { return entry{line: node.Line, column: node.Column} }
