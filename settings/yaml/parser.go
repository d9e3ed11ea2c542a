package yaml

import (
	"fmt"
	"sort"
	"strings"
	"unicode/utf8"
)

// parser stands somewhere in a text. After a failure it stands at the end, so that all that reads on ends there.
type parser struct {
	text  string
	lines []int // where each begins
	pos   int

	flow     int              // how many brackets and braces are open
	depth    int              // of lists and keys in each other
	names    map[string]*Node // what has an anchor
	unfolded int              // nodes that aliases stood for
	err      *Error           // the first failure
}

func newParser(text string) *parser {
	text = strings.ReplaceAll(strings.TrimPrefix(text, "\ufeff"), "\r\n", "\n")
	p := &parser{text: text, lines: []int{0}, names: map[string]*Node{}}
	for i := range len(text) {
		if text[i] == '\n' {
			p.lines = append(p.lines, i+1)
		}
	}
	for i, r := range text {
		if !printable(r) {
			p.fail(i, "%q cannot stand in a text: write it as an escape, in double quotes", r)
			break
		}
	}
	return p
}

// printable says what may stand in a text as it is (YAML 1.2.2, section 5.1). What is no UTF-8 arrives as RuneError.
func printable(r rune) bool {
	return r == '\n' || r == '\t' || r >= ' ' && r < 0x7f || r >= 0xa0 && r != 0xfeff && r != utf8.RuneError
}

// documents reads all there are: each but the first is behind ---, and may end with a line of three dots.
func (p *parser) documents() (docs []*Node) {
	for p.gap(); p.pos < len(p.text); p.gap() {
		if p.peek() == '%' {
			p.fail(p.pos, "a directive: they are not supported")
			break
		}
		if p.over() && p.peek() == '.' {
			p.skip(3)
			p.endLine()
			continue
		}
		behind := p.over()
		if behind {
			p.skip(3)
		}
		docs = append(docs, p.block(slot{indent: -1, list: 0, behind: behind}))
		if p.gap(); !p.over() {
			p.fail(p.pos, "want one value, or keys that begin in one column")
		}
	}
	return docs
}

// fail notes the first failure.
func (p *parser) fail(pos int, format string, args ...any) {
	if p.err == nil {
		line, column := p.place(pos)
		p.err = &Error{line, column, fmt.Sprintf(format, args...)}
	}
	p.pos = len(p.text)
}

// place is the line and the character of a position, both 1-based.
func (p *parser) place(pos int) (line, column int) {
	line = sort.SearchInts(p.lines, pos+1)
	return line, 1 + utf8.RuneCountInString(p.text[p.lines[line-1]:pos])
}

// node is a new one that stands at pos.
func (p *parser) node(kind Kind, pos int) *Node {
	line, column := p.place(pos)
	return &Node{Kind: kind, Line: line, Column: column, size: 1}
}

// peek is the byte that stands here, 0 at the end.
func (p *parser) peek() byte { return p.at(p.pos) }

func (p *parser) at(pos int) byte {
	if pos < len(p.text) {
		return p.text[pos]
	}
	return 0
}

func (p *parser) skip(bytes int) { p.pos = min(p.pos+bytes, len(p.text)) }

// blank says whether no text stands at pos: a space, or the end of the line or of all.
func (p *parser) blank(pos int) bool { return strings.IndexByte("\x00 \t\n", p.at(pos)) >= 0 }

// column is how far in its line p stands, in bytes: indentation has no others than spaces.
func (p *parser) column() int { return p.pos - p.lineStart() }

func (p *parser) lineStart() int { return p.lines[sort.SearchInts(p.lines, p.pos+1)-1] }

// first says whether p stands at the first text of its line.
func (p *parser) first() bool { return strings.Trim(p.text[p.lineStart():p.pos], " ") == "" }

// over says whether the document ends here: with the text, or a line that begins with --- or three dots.
func (p *parser) over() bool {
	if p.pos >= len(p.text) {
		return true
	}
	rest := p.text[p.pos:]
	return (strings.HasPrefix(rest, "---") || strings.HasPrefix(rest, "...")) && p.column() == 0 && p.blank(p.pos+3)
}

// spaces skips spaces and tabs.
func (p *parser) spaces() {
	for p.peek() == ' ' || p.peek() == '\t' {
		p.skip(1)
	}
}

// comment skips one, if it stands here, behind a space or at the beginning of a line.
func (p *parser) comment() {
	if p.peek() != '#' || p.pos > 0 && !p.blank(p.pos-1) {
		return
	}
	if end := strings.IndexByte(p.text[p.pos:], '\n'); end >= 0 {
		p.pos += end
	} else {
		p.pos = len(p.text)
	}
}

// gap skips to the next text, and says whether it is on another line.
func (p *parser) gap() (broke bool) {
	start := p.pos == 0
	for {
		p.spaces()
		p.comment()
		if p.peek() != '\n' {
			break
		}
		p.skip(1)
		broke = true
	}
	if (broke || start) && p.flow == 0 && p.pos < len(p.text) {
		p.noTabs()
	}
	return broke
}

// noTabs wants the line that p stands in to be indented by spaces.
func (p *parser) noTabs() {
	start := p.lineStart()
	if tab := strings.IndexByte(p.text[start:p.pos], '\t'); tab >= 0 {
		p.fail(start+tab, "a tab indents this line: use spaces")
	}
}

// endLine wants nothing more in this line.
func (p *parser) endLine() {
	p.spaces()
	p.comment()
	if p.pos < len(p.text) && p.peek() != '\n' {
		p.fail(p.pos, "want nothing more in this line")
	}
}

// deeper counts the levels; the caller calls shallower when it is done.
func (p *parser) deeper() {
	if p.depth++; p.depth > maxDepth {
		p.fail(p.pos, "lists and keys in each other, more than %d deep", maxDepth)
	}
}

func (p *parser) shallower() { p.depth-- }
