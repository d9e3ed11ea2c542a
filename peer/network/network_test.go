package network

import (
	"net/netip"
	"strings"
	"testing"
)

func TestIDTellsNetworksApart(t *testing.T) {
	here := ID("https://telepath.example", "")
	if again := ID("https://telepath.example", ""); again != here {
		t.Errorf("%s, then %s", here, again)
	}
	if other := ID("https://other.example", ""); other == here {
		t.Error("another server has the same name")
	}
	if other := ID("https://telepath.example", "http://proxy"); other == here {
		t.Error("another proxy has the same name")
	}
	if near, far := ID("http://127.0.0.1:1", ""), ID("http://192.0.2.1:1", ""); near == far {
		t.Error("another way out has the same name")
	}
	if len(here) != 24 || strings.Contains(here, "telepath") {
		t.Errorf("%q", here)
	}
}

func TestLost(t *testing.T) {
	for addr, want := range map[netip.Addr]bool{
		netip.MustParseAddr("127.0.0.1"):    false,
		netip.MustParseAddr("203.0.113.77"): true,
		netip.MustParseAddr("2001:db8::77"): true,
		{}:                                  false,
	} {
		if got := Lost(addr); got != want {
			t.Errorf("%v: %v, want %v", addr, got, want)
		}
	}
}
