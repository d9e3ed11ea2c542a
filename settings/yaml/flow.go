package yaml

import "strings"

// brackets reads a list in brackets, or keys in braces.
func (p *parser) brackets() *Node {
	p.flow++
	defer func() { p.flow-- }()
	p.deeper()
	defer p.shallower()
	if p.peek() == '[' {
		return p.flowList()
	}
	return p.flowMap()
}

// entries reads what stands between a bracket and the one that closes it.
func (p *parser) entries(closing byte, entry func()) {
	open := p.pos
	for p.skip(1); ; p.skip(1) {
		p.gap()
		if p.peek() != closing && !p.over() {
			entry()
			p.gap()
		}
		switch {
		case p.over():
			p.fail(open, "%q is not closed", p.text[open:min(open+1, len(p.text))])
			return
		case p.peek() == closing:
			p.skip(1)
			return
		case p.peek() != ',':
			p.fail(p.pos, `want "," or %q`, string(closing))
			return
		}
	}
}

func (p *parser) flowList() *Node {
	n, open := p.node(List, p.pos), p.pos
	p.entries(']', func() {
		at := p.pos
		item := p.flowValue()
		switch p.gap(); {
		case p.peek() == ':' && strings.Contains(p.text[at:p.pos], "\n"): // the next key of what the list is in
			p.fail(open, "%q is not closed", "[")
		case p.peek() == ':':
			p.fail(at, "a key in brackets: keys stand in braces")
		}
		n.Items = append(n.Items, item)
		n.size += item.size
	})
	return n
}

func (p *parser) flowMap() *Node {
	n := p.node(Map, p.pos)
	seen := map[string]*Node{}
	p.entries('}', func() {
		at := p.pos
		if p.peek() == '[' || p.peek() == '{' {
			p.fail(at, "want a key: keys are text")
		}
		key := p.scalar(-1)
		if p.gap(); p.peek() != ':' {
			p.fail(at, "want a key, a colon, a space and its value")
			return
		}
		p.skip(1)
		begin := p.pos
		p.gap()
		value := p.node(Null, begin)
		if p.peek() != ',' && p.peek() != '}' {
			value = p.flowValue()
		}
		p.add(n, seen, key, value)
	})
	return p.merged(n, seen)
}

// flowValue reads a value in brackets or braces.
func (p *parser) flowValue() *Node {
	at, name := p.pos, ""
	if p.peek() == '&' {
		name = p.name()
		p.gap()
	}
	var n *Node
	switch c := p.peek(); {
	case c == '*':
		n = p.alias()
	case c == '[' || c == '{':
		n = p.brackets()
	case name != "" && (c == ',' || c == ']' || c == '}'):
		n = p.node(Null, at)
	default:
		n = p.scalar(-1)
	}
	if name == "" {
		return n
	}
	return p.anchored(name, at, n)
}
