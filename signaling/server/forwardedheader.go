package server

import (
	"slices"
	"strings"
)

// forwardedElement is what one proxy says in the header Forwarded (RFC 7239,
// section 4): of its parameters we use two.
type forwardedElement struct{ node, proto string }

// parseForwarded reads the header's values; the nearest proxy's element comes
// first. One that cannot be read ends the list there: what is left of it may
// be anybody's.
func parseForwarded(values []string) (nearestFirst []forwardedElement) {
	for _, text := range splitQuoted(strings.Join(values, ","), ',') {
		element, ok := parseElement(text)
		if !ok {
			nearestFirst = nil // whoever is nearer to us comes behind it
			continue
		}
		nearestFirst = append(nearestFirst, element)
	}
	slices.Reverse(nearestFirst)
	return nearestFirst[:min(len(nearestFirst), maxHops)]
}

func parseElement(text string) (e forwardedElement, ok bool) {
	for _, pair := range splitQuoted(text, ';') {
		name, value, found := strings.Cut(strings.TrimSpace(pair), "=")
		if value, ok = unquote(value); !found || !ok {
			return e, false
		}
		switch strings.ToLower(name) {
		case "for":
			e.node = value
		case "proto":
			e.proto = value
		}
	}
	return e, true
}

func forOf(elements []forwardedElement) (nodes []string) {
	for _, e := range elements {
		nodes = append(nodes, e.node)
	}
	return nodes
}

// splitQuoted splits at a separator outside quotes.
func splitQuoted(text string, separator byte) (parts []string) {
	quoted, from := false, 0
	for i := 0; i < len(text); i++ {
		switch {
		case quoted && text[i] == '\\':
			i++ // whatever follows is meant as it stands
		case text[i] == '"':
			quoted = !quoted
		case !quoted && text[i] == separator:
			parts, from = append(parts, text[from:i]), i+1
		}
	}
	return append(parts, text[from:])
}

// unquote reads a token or a quoted string (RFC 9110, section 5.6.4).
func unquote(text string) (string, bool) {
	if !strings.HasPrefix(text, `"`) {
		return text, text != "" && !strings.ContainsAny(text, "\" \t")
	}
	var plain strings.Builder
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '"':
			return plain.String(), i == len(text)-1
		case '\\':
			if i++; i == len(text) {
				return "", false
			}
		}
		plain.WriteByte(text[i])
	}
	return "", false
}
