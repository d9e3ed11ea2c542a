package cert

import (
	"fmt"
	"net/netip"
	"strings"

	"golang.org/x/net/idna"
)

// ParseNames reads names to get certificates for, in the form in which clients ask for them.
func ParseNames(list []string) ([]string, error) {
	var names []string
	for _, text := range list {
		name, err := idna.Lookup.ToASCII(strings.TrimSuffix(strings.TrimSpace(text), "."))
		_, isAddress := netip.ParseAddr(name)
		if err != nil || isAddress == nil || !strings.Contains(name, ".") {
			return nil, fmt.Errorf("%.80q is not a name that an authority issues certificates for: give one such as telepath.example.org", text)
		}
		names = append(names, name)
	}
	return names, nil
}
