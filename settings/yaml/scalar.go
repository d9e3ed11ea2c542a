package yaml

import "strings"

// scalar reads text, plain or in quotes. Where it goes on on lines below, they are indented more than `indent`.
func (p *parser) scalar(indent int) *Node {
	n := p.node(Text, p.pos)
	switch p.peek() {
	case '"', '\'':
		n.quoted = true
		n.Text = p.inQuotes(indent)
		return n
	case '!':
		p.fail(p.pos, "a tag: they are not supported; put text that begins with ! in quotes")
		return n
	}
	if !p.plain(p.pos) {
		p.fail(p.pos, "a value cannot begin with %q: put text in quotes", string(p.peek()))
		return n
	}
	n.Text = p.plainText(indent)
	n.Kind = kindOf(n.Text)
	return n
}

// plain says whether text without quotes may begin at pos.
func (p *parser) plain(pos int) bool {
	switch c := p.at(pos); {
	case strings.IndexByte("-?:", c) >= 0:
		return !p.blank(pos+1) && !p.separates(pos+1)
	default:
		return strings.IndexByte("\x00 \t\n,[]{}#&*!|>'\"%@`", c) < 0
	}
}

// separates says whether a character divides the entries of brackets and braces, in such.
func (p *parser) separates(pos int) bool {
	return p.flow > 0 && pos < len(p.text) && strings.IndexByte(",[]{}", p.at(pos)) >= 0
}

// plainEnd is where plain text that stands at pos ends in its line: at a colon, a comment, the end, or what separates.
func (p *parser) plainEnd(pos int) int {
	end := pos
	for ; pos < len(p.text) && p.at(pos) != '\n' && !p.separates(pos); pos++ {
		switch c := p.at(pos); {
		case c == ':' && (p.blank(pos+1) || p.separates(pos+1)):
			return pos
		case c == '#' && p.blank(pos-1):
			return end
		case c != ' ' && c != '\t':
			end = pos + 1
		}
	}
	return end
}

// plainText reads plain text, and what of it is on the lines below.
func (p *parser) plainText(indent int) string {
	var b strings.Builder
	for {
		end := p.plainEnd(p.pos)
		b.WriteString(strings.TrimRight(p.text[p.pos:end], " \t"))
		p.pos = end
		breaks, ok := p.goesOn(indent)
		if !ok {
			return b.String()
		}
		fold(&b, breaks)
	}
}

// goesOn goes to the line below on which plain text goes on, if it does, and says how many line breaks are between.
func (p *parser) goesOn(indent int) (breaks int, ok bool) {
	back := p.pos
	for p.spaces(); p.peek() == '\n'; p.spaces() {
		p.skip(1)
		breaks++
	}
	text := p.peek() != '#' && !p.over() && !p.separates(p.pos)
	if p.flow > 0 {
		text = text && (p.peek() != ':' || p.plain(p.pos))
	} else {
		text = text && p.column() > indent
	}
	if breaks == 0 || !text {
		p.pos = back
		return 0, false
	}
	if p.flow == 0 && p.at(p.plainEnd(p.pos)) == ':' {
		p.fail(p.pos, "a key, where by its indentation the text of the line before goes on")
	}
	return breaks, true
}

// fold writes what line breaks in a text are: one is a space, more are one less.
func fold(b *strings.Builder, breaks int) {
	if breaks == 1 {
		b.WriteByte(' ')
	}
	for ; breaks > 1; breaks-- {
		b.WriteByte('\n')
	}
}
