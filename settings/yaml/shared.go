package yaml

import "strings"

// inName are the characters of a name.
const inName = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"

// name reads that of an anchor or an alias, with the mark before it.
func (p *parser) name() string {
	mark := p.pos
	for p.skip(1); strings.IndexByte(inName, p.peek()) >= 0; p.skip(1) {
	}
	name := p.text[mark+1 : p.pos]
	if name == "" || !p.blank(p.pos) && !p.separates(p.pos) {
		p.fail(mark, "want a name of letters, digits, - and _ behind %q, or quotes around the text", p.text[mark:mark+1])
	}
	return name
}

// anchored gives a node its name, and the place where that stands.
func (p *parser) anchored(name string, at int, n *Node) *Node {
	n.Line, n.Column = p.place(at)
	n.Shared = true
	p.names[name] = n
	return n
}

// alias reads one: it is the node of that name, in this place. Only what is complete has a name, so none is in itself.
func (p *parser) alias() *Node {
	at := p.pos
	name := p.name()
	named := p.names[name]
	if named == nil {
		p.fail(at, "nothing before has the name &%.64s", name)
		return p.node(Null, at)
	}
	if p.unfolded += named.size; p.unfolded > maxNodes {
		p.fail(at, "aliases stand for more than %d values", maxNodes)
	}
	n := *named
	n.Line, n.Column = p.place(at)
	n.Shared = true
	return &n
}

// mergeKey has maps for its value, whose members a map takes over as far as it has none of the name (yaml.org/type/merge.html).
const mergeKey = "<<"

// merged is a map with what it takes over from others.
func (p *parser) merged(n *Node, seen map[string]*Node) *Node {
	if key := seen[mergeKey]; key == nil || key.quoted {
		return n
	}
	own := n.Members
	n.Members = nil
	for _, m := range own {
		if m.Key.Text != mergeKey {
			n.Members = append(n.Members, m)
		}
	}
	_, value := (&Node{Members: own}).Member(mergeKey)
	from := []*Node{value}
	if value.Kind == List {
		from = value.Items
	}
	for _, other := range from {
		if other.Kind != Map && p.err == nil {
			p.err = other.Failf("want keys with values behind %s, or a list of such", mergeKey)
			p.pos = len(p.text)
		}
		for _, m := range other.Members {
			if seen[m.Key.Text] == nil {
				p.add(n, seen, m.Key, m.Value)
			}
		}
	}
	return n
}
