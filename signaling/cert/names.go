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
			return nil, fmt.Errorf("%.80q is no name that an authority gives certificates for: give such as telepath.example.org", text)
		}
		names = append(names, name)
	}
	return names, nil
}
