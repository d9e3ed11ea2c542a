package wire

// MaxDepth is how deep arrays and objects may be nested in the JSON of a frame (section 3.6).
const MaxDepth = 16

// Depth is the deepest nesting of brackets outside strings in a JSON text.
func Depth(text []byte) int {
	deepest, now, inString := 0, 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case inString:
		case c == '[' || c == '{':
			now++
			deepest = max(deepest, now)
		case c == ']' || c == '}':
			now--
		}
	}
	return deepest
}
