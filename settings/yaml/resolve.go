package yaml

import (
	"regexp"
	"strconv"
	"strings"
)

// Plain text that is a number (YAML 1.2.2, section 10.3.2).
var (
	integers = regexp.MustCompile(`^([-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)$`)
	floats   = regexp.MustCompile(`^([-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))$`)
)

// kindOf is what plain text says.
func kindOf(text string) Kind {
	switch text {
	case "", "~", "null", "Null", "NULL":
		return Null
	case "true", "True", "TRUE", "false", "False", "FALSE":
		return Bool
	}
	switch {
	case integers.MatchString(text):
		return Int
	case floats.MatchString(text):
		return Float
	}
	return Text
}

// Value is a scalar as nil, bool, int64, float64 or string: a number is a string
// if it is too large for any other, nil what is no scalar.
func (n *Node) Value() any {
	switch n.Kind {
	case Bool:
		return strings.EqualFold(n.Text, "true")
	case Int:
		if i, err := parseInt(n.Text); err == nil {
			return i
		}
		return float(n.Text)
	case Float:
		return float(n.Text)
	case Text:
		return n.Text
	}
	return nil
}

func parseInt(text string) (int64, error) {
	if digits, found := strings.CutPrefix(text, "0x"); found {
		return strconv.ParseInt(digits, 16, 64)
	}
	if digits, found := strings.CutPrefix(text, "0o"); found {
		return strconv.ParseInt(digits, 8, 64)
	}
	return strconv.ParseInt(text, 10, 64)
}

// float is a number, or the text if it is too large.
func float(text string) any {
	digits := text
	if strings.ContainsAny(text, "nN") { // .inf, .nan
		digits = strings.Replace(text, ".", "", 1)
	}
	f, err := strconv.ParseFloat(digits, 64)
	if err != nil {
		return text
	}
	return f
}
