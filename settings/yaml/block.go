package yaml

// slot is where a value is looked for: here, or on the lines below.
type slot struct {
	indent int  // the column of what it belongs to: on the lines below it begins behind that
	list   int  // but a list may begin in this column
	behind bool // a key stands before it in this line: no other, and no list, may follow on it
}

// holds says whether what begins here, on a line below, is in the slot.
func (p *parser) holds(s slot) bool {
	if p.over() {
		return false
	}
	return p.column() > s.indent || p.dash() && p.column() >= s.list
}

// block reads the value of a slot.
func (p *parser) block(s slot) *Node {
	p.deeper()
	defer p.shallower()
	begin := p.pos
	if p.gap() {
		s.behind = false
		if !p.holds(s) {
			return p.node(Null, begin)
		}
	}
	at := p.pos
	if p.peek() != '&' {
		return p.content(s)
	}
	name := p.name()
	s.behind = true
	if p.gap() {
		s.behind = false
		if !p.holds(s) {
			return p.anchored(name, at, p.node(Null, at))
		}
	}
	return p.anchored(name, at, p.content(s))
}

// content reads a value that begins here.
func (p *parser) content(s slot) *Node {
	switch c := p.peek(); {
	case p.pos >= len(p.text):
		return p.node(Null, p.pos)
	case p.dash():
		if s.behind {
			p.fail(p.pos, "a list cannot begin behind something else in its line: begin it on a line of its own")
		}
		return p.list(p.column())
	case c == '?' && p.blank(p.pos+1):
		p.fail(p.pos, "a key that is marked with ?: keys are text, followed by a colon")
	case c == '*':
		return p.alias()
	case c == '[' || c == '{':
		return p.brackets()
	case c == '|' || c == '>':
		return p.literal(s.indent)
	}
	if colon := p.key(); colon > 0 {
		if s.behind {
			p.fail(colon, "a key cannot begin behind something else in its line: put the text in quotes, or the key on a line of its own")
		}
		return p.mapping(p.column())
	}
	return p.scalar(s.indent)
}

// dash says whether an item of a list begins here.
func (p *parser) dash() bool { return p.peek() == '-' && p.blank(p.pos+1) }

// list reads one whose dashes stand in a column.
func (p *parser) list(column int) *Node {
	n := p.node(List, p.pos)
	for p.dash() {
		p.skip(1)
		item := p.block(slot{indent: column, list: column + 1})
		n.Items = append(n.Items, item)
		n.size += item.size
		if !p.next(column) {
			break
		}
	}
	return n
}

// mapping reads one whose keys stand in a column.
func (p *parser) mapping(column int) *Node {
	n := p.node(Map, p.pos)
	seen := map[string]*Node{}
	for {
		if p.key() == 0 {
			p.fail(p.pos, "want a key, a colon, a space and its value, as in the lines before")
			break
		}
		key := p.scalar(column)
		p.spaces()
		p.skip(1) // the colon
		p.add(n, seen, key, p.block(slot{indent: column, list: column, behind: true}))
		if !p.next(column) {
			break
		}
	}
	return p.merged(n, seen)
}

// next goes to what follows in a column, if something does.
func (p *parser) next(column int) bool {
	switch p.gap(); {
	case p.over() || p.first() && p.column() < column:
		return false
	case !p.first():
		p.fail(p.pos, "want nothing more behind the value: put text with quotes, brackets or colons in quotes")
		return false
	case p.column() > column:
		p.fail(p.pos, "this line is indented more than those it could belong to")
		return false
	}
	return true
}

// key is where the colon of a key stands that begins here and ends in this line; 0: none does.
func (p *parser) key() int {
	if p.peek() == '"' || p.peek() == '\'' {
		end := p.closing(p.pos)
		for p.at(end) == ' ' || p.at(end) == '\t' {
			end++
		}
		if p.at(end) == ':' && p.blank(end+1) {
			return end
		}
		return 0
	}
	if !p.plain(p.pos) {
		return 0
	}
	if end := p.plainEnd(p.pos); p.at(end) == ':' {
		return end
	}
	return 0
}

// closing is behind the quote that closes, in its line, the one at pos; or the end of the line.
func (p *parser) closing(pos int) int {
	quote := p.at(pos)
	for pos++; pos < len(p.text) && p.at(pos) != '\n'; pos++ {
		switch {
		case p.at(pos) == '\\' && quote == '"':
			pos++
		case p.at(pos) == quote && quote == '\'' && p.at(pos+1) == quote:
			pos++
		case p.at(pos) == quote:
			return pos + 1
		}
	}
	return min(pos, len(p.text))
}

// add gives a map a member.
func (p *parser) add(n *Node, seen map[string]*Node, key, value *Node) {
	if first := seen[key.Text]; first != nil {
		if p.err == nil {
			p.err = key.Failf("the key %.64q is there twice, first in line %d", key.Text, first.Line)
		}
		p.pos = len(p.text)
		return
	}
	seen[key.Text] = key
	n.Members = append(n.Members, Member{key, value})
	n.size += 1 + value.size
}
