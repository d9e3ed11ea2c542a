package yaml

import (
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"

	syntax "go.yaml.in/yaml/v3"
)

// Parse reads the documents of a text, usually one. All its errors are *Error.
func Parse(text string) (docs []*Node, err error) {
	decoder := syntax.NewDecoder(strings.NewReader(text))
	var r reader
	for {
		var doc syntax.Node
		switch err := decoder.Decode(&doc); {
		case errors.Is(err, io.EOF):
			return docs, nil
		case err != nil:
			return nil, placed(err)
		}
		for _, content := range doc.Content {
			n := r.node(content, 0)
			if r.err != nil {
				return nil, r.err
			}
			docs = append(docs, n)
		}
	}
}

// The library tells a line in the text of its errors alone, in most of them.
var lineOf = regexp.MustCompile(`^yaml: (?:line ([0-9]+): )?`)

func placed(err error) *Error {
	message := err.Error()
	found := lineOf.FindStringSubmatch(message)
	e := &Error{Line: 1, Message: strings.TrimPrefix(message, "yaml: ")}
	if found != nil && found[1] != "" {
		line, _ := strconv.Atoi(found[1])
		e.Line = max(1, line)
		e.Message = message[len(found[0]):]
	}
	return e
}

// reader makes nodes of those of the library. It goes on after the first error, with what does no harm.
type reader struct {
	nodes int
	err   *Error
}

func (r *reader) fail(n *Node, format string, args ...any) {
	if r.err == nil {
		r.err = n.Failf(format, args...)
	}
}

func (r *reader) node(from *syntax.Node, depth int) *Node {
	n := &Node{Line: from.Line, Column: from.Column, Shared: from.Anchor != ""}
	r.nodes++
	switch {
	case depth >= maxDepth: // also an alias within what it stands for
		r.fail(n, "more than %d levels deep", maxDepth)
	case r.nodes > maxNodes:
		r.fail(n, "more than %d values, with what aliases stand for", maxNodes)
	case from.Style&syntax.TaggedStyle != 0:
		r.fail(n, "tags such as %.64s are not understood", from.Tag)
	}
	if r.err != nil {
		return n
	}
	switch from.Kind {
	case syntax.AliasNode:
		n = r.node(from.Alias, depth+1)
		n.Line, n.Column, n.Shared = from.Line, from.Column, true
	case syntax.ScalarNode:
		n.Kind, n.Text = Text, from.Value
		if isPlain(from) {
			n.Kind = kindOf(from.Value)
		}
	case syntax.SequenceNode:
		n.Kind = List
		for _, item := range from.Content {
			n.Items = append(n.Items, r.node(item, depth+1))
		}
	case syntax.MappingNode:
		n.Kind = Map
		r.members(n, from, depth)
	}
	return n
}

func isPlain(from *syntax.Node) bool {
	const quoted = syntax.SingleQuotedStyle | syntax.DoubleQuotedStyle | syntax.LiteralStyle | syntax.FoldedStyle
	return from.Style&quoted == 0
}

// mergeKey has maps for its value, whose members a map takes over as far as it has none of the name (yaml.org/type/merge.html).
const mergeKey = "<<"

func (r *reader) members(n *Node, from *syntax.Node, depth int) {
	seen := map[string]int{} // the line of each key
	var others []*Node
	for i := 0; i+1 < len(from.Content); i += 2 {
		key := r.key(from.Content[i])
		value := r.node(from.Content[i+1], depth+1)
		if key.Text == mergeKey && isPlain(from.Content[i]) {
			others = append(others, value)
			continue
		}
		if line, twice := seen[key.Text]; twice {
			r.fail(key, "%.64q is there twice, first on line %d", key.Text, line)
		}
		seen[key.Text] = key.Line
		n.Members = append(n.Members, Member{key, value})
	}
	for _, other := range others {
		r.merge(n, seen, other)
	}
}

func (r *reader) key(from *syntax.Node) *Node {
	n := &Node{Kind: Text, Line: from.Line, Column: from.Column, Text: from.Value}
	if from.Kind != syntax.ScalarNode || from.Style&syntax.TaggedStyle != 0 {
		r.fail(n, "a key must be text")
	}
	return n
}

func (r *reader) merge(n *Node, seen map[string]int, from *Node) {
	maps := []*Node{from}
	if from.Kind == List {
		maps = from.Items
	}
	for _, other := range maps {
		if other.Kind != Map {
			r.fail(other, "want keys with values after %s, or a list of those", mergeKey)
		}
		for _, m := range other.Members {
			if _, has := seen[m.Key.Text]; !has {
				seen[m.Key.Text] = m.Key.Line
				n.Members = append(n.Members, m)
			}
		}
	}
}
