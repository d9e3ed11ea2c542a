package cli

import (
	"net/netip"
	"strings"
	"testing"
	"testing/fstest"
)

func TestSurroundings(t *testing.T) {
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	for name, c := range map[string]struct {
		root fstest.MapFS
		want string
	}{
		"a machine":  {fstest.MapFS{"proc/1/cgroup": file("0::/init.scope\n"), "sys/class/dmi/id/sys_vendor": file("LENOVO\n")}, ""},
		"nothing":    {fstest.MapFS{}, ""},
		"Docker":     {fstest.MapFS{".dockerenv": file("")}, "a container"},
		"Podman":     {fstest.MapFS{"run/.containerenv": file("")}, "a container"},
		"Kubernetes": {fstest.MapFS{"proc/1/cgroup": file("12:cpu:/kubepods/besteffort/pod1\n")}, "a container"},
		"a cloud":    {fstest.MapFS{"sys/class/dmi/id/sys_vendor": file("Amazon EC2\n"), "proc/cpuinfo": file("flags\t: fpu hypervisor lahf_lm\n")}, "a virtual machine"},
		"a laptop":   {fstest.MapFS{"sys/class/dmi/id/sys_vendor": file("Microsoft Corporation\n"), "proc/cpuinfo": file("flags\t: fpu\n")}, ""},
	} {
		if got := surroundings(c.root); got != c.want {
			t.Errorf("%s is %q", name, got)
		}
	}
}

func TestAnnounced(t *testing.T) {
	private := []netip.Addr{netip.MustParseAddr("172.17.0.2"), netip.MustParseAddr("fd00::2"), netip.MustParseAddr("100.64.3.4")}
	public := append(private, netip.MustParseAddr("203.0.113.7"))
	const hint = "only private addresses are announced: 172.17.0.2, fd00::2, 100.64.3.4; viewers outside this network need --announce PUBLIC-ADDRESS"
	if got := announced(private, 8080, "a container"); !strings.Contains(got, "UDP port 8080") || !strings.Contains(got, hint) {
		t.Errorf("%q", got)
	}
	for _, got := range []string{announced(private, 8080, ""), announced(public, 0, "a container")} {
		if strings.Contains(got, "only private") || strings.Count(got, "\n") != 1 {
			t.Errorf("%q", got)
		}
	}
	if got := announced(public, 0, ""); !strings.Contains(got, "no UDP port") || !strings.Contains(got, "203.0.113.7") {
		t.Errorf("%q", got)
	}
}
