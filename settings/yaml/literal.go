package yaml

import "strings"

// literal reads a block of text behind | or >, whose lines are indented more than `indent`.
func (p *parser) literal(indent int) *Node {
	n := p.node(Text, p.pos)
	n.quoted = true
	folded := p.peek() == '>'
	p.skip(1)
	h := p.header()
	margin := max(indent, 0) + h.indent
	if h.indent == 0 {
		margin = max(p.margin(), indent+1, 1)
	}
	var b strings.Builder
	empty := 0     // lines since the last one with text
	wide := true   // that began with a space, or there is none yet: what is around it is not folded
	begun := false // there was one
	broke := false // the last of these ended with a line break, not with the text
	for p.pos < len(p.text) {
		line, rest, more := strings.Cut(p.text[p.pos:], "\n")
		if strings.Trim(line, " ") == "" && len(line) <= margin {
			if more {
				empty++
			}
			p.pos = len(p.text) - len(rest)
			continue
		}
		if p.over() || len(line) < margin || strings.Trim(line[:margin], " ") != "" {
			break
		}
		line = line[margin:]
		spaced := line[0] == ' ' || line[0] == '\t'
		switch {
		case begun && folded && !wide && !spaced && empty == 0:
			b.WriteByte(' ')
		case begun && (!folded || wide || spaced):
			b.WriteByte('\n')
		}
		b.WriteString(strings.Repeat("\n", empty))
		b.WriteString(line)
		begun, broke, wide, empty = true, more, spaced, 0
		p.pos = len(p.text) - len(rest)
	}
	if broke && h.chomp != '-' {
		b.WriteByte('\n')
	}
	if h.chomp == '+' {
		b.WriteString(strings.Repeat("\n", empty))
	}
	n.Text = b.String()
	return n
}

// header is what stands behind | or >.
type header struct {
	indent int  // more than what the block belongs to; 0: as its first line
	chomp  byte // '+': all line breaks at the end count, '-': none, 0: one
}

func (p *parser) header() (h header) {
	for !p.blank(p.pos) {
		switch c := p.peek(); {
		case (c == '+' || c == '-') && h.chomp == 0:
			h.chomp = c
		case c >= '1' && c <= '9' && h.indent == 0:
			h.indent = int(c - '0')
		default:
			p.fail(p.pos, "want + or -, or by how much the text is indented, or nothing more in this line")
			return h
		}
		p.skip(1)
	}
	p.endLine()
	p.skip(1)
	return h
}

// margin is how far the first line with text is indented, or one before it that has more spaces.
func (p *parser) margin() (margin int) {
	for rest := p.text[p.pos:]; rest != ""; {
		var line string
		line, rest, _ = strings.Cut(rest, "\n")
		text := strings.TrimLeft(line, " ")
		if margin = max(margin, len(line)-len(text)); text != "" {
			break
		}
	}
	return margin
}
