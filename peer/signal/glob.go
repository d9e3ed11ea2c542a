package signal

// Match reports whether a stream's name fits a glob of `want`: * stands for
// any run of characters, / included, ? for one byte. Linear in the name's
// length for each star; nothing else is special.
func Match(glob, name string) bool {
	g, n, star, mark := 0, 0, -1, 0
	for n < len(name) {
		switch {
		case g < len(glob) && glob[g] == '*':
			star, mark = g, n
			g++
		case g < len(glob) && (glob[g] == '?' || glob[g] == name[n]):
			g++
			n++
		case star >= 0:
			mark++
			g, n = star+1, mark
		default:
			return false
		}
	}
	for g < len(glob) && glob[g] == '*' {
		g++
	}
	return g == len(glob)
}

// Wanted reports whether one of the globs fits; none at all stands for "*".
func Wanted(globs []string, name string) bool {
	for _, g := range globs {
		if Match(g, name) {
			return true
		}
	}
	return len(globs) == 0
}
