package tunnel

import "strings"

// challenge is one way of logging in that a proxy offers (RFC 9110, section 11.3).
type challenge struct {
	scheme string            // in lower case
	params map[string]string // names in lower case, values without their quotes; a token68 is not kept
}

// Bounds of what is read of a proxy's offers: more than any has.
const (
	maxChallenges = 16
	maxParams     = 16
)

// parseChallenges reads the values of Proxy-Authenticate headers, each of which
// may hold several challenges. What is not in the grammar ends a value; what
// came before stands.
func parseChallenges(headers []string) (list []challenge) {
	for _, h := range headers {
		p := parser{rest: h}
		for len(list) < maxChallenges && p.next() {
			list = append(list, p.challenge())
		}
	}
	return list
}

// parser takes a header's value apart from its front.
type parser struct {
	rest   string
	scheme string // read already
}

// next finds the name of the next challenge's scheme.
func (p *parser) next() bool {
	if p.scheme == "" {
		p.skip(" \t,")
		p.scheme = p.token()
	}
	return p.scheme != ""
}

// challenge reads what belongs to the scheme, up to the name of the next one.
func (p *parser) challenge() challenge {
	c := challenge{scheme: strings.ToLower(p.scheme), params: map[string]string{}}
	p.scheme = ""
	for range maxParams {
		p.skip(" \t,")
		name := p.token()
		if name == "" {
			break
		}
		before := p.rest
		p.skip(" \t")
		if !strings.HasPrefix(p.rest, "=") { // no parameter: the next scheme
			p.rest, p.scheme = before, name
			break
		}
		p.rest = p.rest[1:]
		if value, ok := p.value(); ok {
			c.params[strings.ToLower(name)] = value
		}
	}
	return c
}

// value reads a parameter's value. A token68 ends in what looks like an empty
// one: Negotiate has it, and we do not use it.
func (p *parser) value() (value string, ok bool) {
	p.skip("= \t")
	if !strings.HasPrefix(p.rest, `"`) {
		value = p.token()
		return value, value != ""
	}
	var b strings.Builder
	for i := 1; i < len(p.rest); i++ {
		switch c := p.rest[i]; {
		case c == '"':
			p.rest = p.rest[i+1:]
			return b.String(), true
		case c == '\\' && i+1 < len(p.rest):
			i++
			b.WriteByte(p.rest[i])
		default:
			b.WriteByte(c)
		}
	}
	p.rest = ""
	return "", false
}

func (p *parser) skip(set string) { p.rest = strings.TrimLeft(p.rest, set) }

// tokenExtra are the characters of a token (RFC 9110, section 5.6.2) beside
// letters and digits, and those of a token68.
const tokenExtra = "!#$%&'*+-.^_`|~/"

func (p *parser) token() string {
	i := 0
	for i < len(p.rest) && isToken(p.rest[i]) {
		i++
	}
	token := p.rest[:i]
	p.rest = p.rest[i:]
	return token
}

func isToken(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte(tokenExtra, c) >= 0
}
