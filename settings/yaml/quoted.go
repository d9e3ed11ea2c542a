package yaml

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// inQuotes reads text in quotes.
func (p *parser) inQuotes(indent int) string {
	open, quote := p.pos, p.peek()
	var b strings.Builder
	for p.skip(1); p.pos < len(p.text); {
		switch c := p.peek(); {
		case c == quote && quote == '\'' && p.at(p.pos+1) == quote:
			b.WriteByte(quote)
			p.skip(2)
		case c == quote:
			p.skip(1)
			return b.String()
		case c == '\\' && quote == '"':
			p.escape(&b)
		case p.blank(p.pos):
			p.pause(&b, open, indent)
		default:
			b.WriteByte(c)
			p.skip(1)
		}
	}
	p.fail(open, "the quote is not closed")
	return ""
}

// pause reads spaces in quotes, or the end of a line: the spaces around that do not count.
func (p *parser) pause(b *strings.Builder, open, indent int) {
	begin := p.pos
	breaks := p.breaks()
	if breaks == 0 {
		b.WriteString(p.text[begin:p.pos])
		return
	}
	if p.over() || p.flow == 0 && p.column() <= indent {
		p.fail(open, "the quote is not closed")
	}
	fold(b, breaks)
}

// breaks skips line breaks with the spaces around them, and counts them.
func (p *parser) breaks() (n int) {
	for p.spaces(); p.peek() == '\n'; p.spaces() {
		p.skip(1)
		n++
	}
	return n
}

// escapes are those of double quotes that stand for one character (YAML 1.2.2, section 5.7).
var escapes = map[byte]string{
	'0': "\x00", 'a': "\a", 'b': "\b", 't': "\t", '\t': "\t", 'n': "\n", 'v': "\v", 'f': "\f", 'r': "\r", 'e': "\x1b",
	' ': " ", '"': `"`, '/': "/", '\\': `\`, 'N': "\u0085", '_': "\u00a0", 'L': "\u2028", 'P': "\u2029",
}

// digits is how many an escape has that says a character by its number.
var digits = map[byte]int{'x': 2, 'u': 4, 'U': 8}

// escape reads one in double quotes.
func (p *parser) escape(b *strings.Builder) {
	at, c := p.pos, p.at(p.pos+1)
	text, known := escapes[c]
	switch {
	case known:
		b.WriteString(text)
		p.skip(2)
	case digits[c] > 0:
		b.WriteRune(p.numbered(at))
	case c == '\n': // the text goes on, without a space
		p.skip(2)
		p.spaces()
		for n := p.breaks(); n > 0; n-- {
			b.WriteByte('\n')
		}
	default:
		p.fail(at, "there is no escape %q; a backslash is written \\\\, or in single quotes", p.text[at:min(at+2, len(p.text))])
	}
}

// numbered reads an escape that says a character by its number; two halves of UTF-16, as in JSON, are one.
func (p *parser) numbered(at int) rune {
	r, ok := p.number(at)
	if utf16.IsSurrogate(r) && p.at(p.pos) == '\\' && p.at(p.pos+1) == 'u' {
		low, _ := p.number(p.pos)
		r = utf16.DecodeRune(r, low)
	}
	if !ok || !utf8.ValidRune(r) {
		p.fail(at, "the escape is no character")
	}
	return r
}

// number reads an escape of hexadecimal digits.
func (p *parser) number(at int) (r rune, ok bool) {
	begin := min(at+2, len(p.text))
	end := min(begin+digits[p.at(at+1)], len(p.text))
	p.pos = end
	n, err := strconv.ParseUint(p.text[begin:end], 16, 31)
	return rune(n), err == nil
}
