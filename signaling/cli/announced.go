package cli

import (
	"fmt"
	"io/fs"
	"net/netip"
	"slices"
	"strings"
)

// announced says at which addresses others are told to reach the server, and
// what to do where those can be right for this network only.
func announced(addrs []netip.Addr, udp uint16, where string) string {
	port := "no UDP port"
	if udp != 0 {
		port = fmt.Sprintf("UDP port %d", udp)
	}
	line := fmt.Sprintf("Announced to devices and viewers: %s, %s.\n", joined(addrs), port)
	if where == "" || slices.ContainsFunc(addrs, isPublic) {
		return line
	}
	return line + fmt.Sprintf("This is %s, and only private addresses are announced: %s; viewers outside this network need --announce PUBLIC-ADDRESS.\n", where, joined(addrs))
}

// maxShown addresses: a host of containers may have dozens.
const maxShown = 6

func joined(addrs []netip.Addr) string {
	var texts []string
	for _, a := range addrs[:min(len(addrs), maxShown)] {
		texts = append(texts, a.String())
	}
	if more := len(addrs) - maxShown; more > 0 {
		texts = append(texts, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(texts, ", ")
}

// sharedSpace is what providers number their customers' networks with (RFC 6598).
var sharedSpace = netip.MustParsePrefix("100.64.0.0/10")

func isPublic(a netip.Addr) bool {
	return a.IsGlobalUnicast() && !a.IsPrivate() && !sharedSpace.Contains(a)
}

// surroundings names what this program runs in, if others reach that at another
// address than it has itself: a container, or a machine of a cloud; "" if that
// is not known. root is the file system.
func surroundings(root fs.FS) string {
	for _, mark := range []string{".dockerenv", "run/.containerenv"} { // Docker; Podman
		if _, err := fs.Stat(root, mark); err == nil {
			return "a container"
		}
	}
	groups, _ := fs.ReadFile(root, "proc/1/cgroup") // "" on other systems
	for _, engine := range []string{"docker", "kubepods", "containerd", "libpod", "lxc"} {
		if strings.Contains(string(groups), engine) {
			return "a container"
		}
	}
	vendor, _ := fs.ReadFile(root, "sys/class/dmi/id/sys_vendor")
	for _, cloud := range []string{"Amazon EC2", "Google", "Microsoft Corporation", "Alibaba Cloud", "OpenStack", "Oracle"} {
		if strings.HasPrefix(string(vendor), cloud) && hypervised(root) {
			return "a virtual machine"
		}
	}
	return ""
}

// hypervised keeps laptops of a vendor that also has a cloud out.
func hypervised(root fs.FS) bool {
	cpus, _ := fs.ReadFile(root, "proc/cpuinfo")
	return strings.Contains(string(cpus), " hypervisor")
}
