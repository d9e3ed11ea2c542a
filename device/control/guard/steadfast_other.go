//go:build !unix

package guard

// steadfast does nothing: such signals are not known here.
func steadfast() {}
