// Package telepath_test holds the architecture as code: which package may import which, who may talk to which third-party
// module, and what the pure core may not do. A wrong import fails here with the reason. The picture is in ARCHITECTURE.md.
package telepath_test

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

const module = "github.com/telepath-iot/telepath"

// pkg is what `go list -json` says about one of our packages; tests are not part of the architecture.
type pkg struct {
	ImportPath string
	Dir        string
	GoFiles    []string
	Imports    []string
}

// name is the package's path below the module, "." for the module's root.
func (p pkg) name() string {
	if name, ok := strings.CutPrefix(p.ImportPath, module+"/"); ok {
		return name
	}
	return "."
}

var list = sync.OnceValues(func() ([]pkg, error) {
	cmd := exec.Command("go", "list", "-e", "-json=ImportPath,Dir,GoFiles,Imports", "./...")
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			err = errors.New(string(exit.Stderr))
		}
		return nil, err
	}
	var all []pkg
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
})

func packages(t *testing.T) []pkg {
	t.Helper()
	all, err := list()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	if len(all) == 0 {
		t.Fatal("go list found no package: this test would check nothing")
	}
	return all
}

// under says whether a package fits a pattern: "peer" is peer and all below it, "peer/" only what is below, "peer$" only itself.
func under(name, pattern string) bool {
	if only, ok := strings.CutSuffix(pattern, "$"); ok {
		return name == only
	}
	if below, ok := strings.CutSuffix(pattern, "/"); ok {
		return strings.HasPrefix(name, below+"/")
	}
	return name == pattern || strings.HasPrefix(name, pattern+"/")
}

func underAny(path string, dirs []string) bool {
	for _, dir := range dirs {
		if under(path, dir) {
			return true
		}
	}
	return false
}

// arrow says what the packages under `from` may import of ours. The first arrow that fits a package is the one that counts.
type arrow struct {
	from   string
	may    []string
	reason string
}

var arrows = []arrow{
	{"peer/wire", nil, "bytes are the ground floor: they know of nobody"},
	{"peer/telemetry/line", []string{"peer/telemetry$", "peer/wire$"}, "lines are samples as text: whoever reads them knows what becomes of them"},
	{"peer/telemetry", []string{"peer/wire$"}, "samples are bytes with a meaning; sensors and screens use them, no link does"},
	{"peer/signal", []string{"peer/wire$"}, "signals are bytes with names"},
	{"peer/session", []string{"peer/wire$"}, "decisions are made from bytes and `now`, without a path or a sample"},
	{"peer/live", []string{"peer/wire$"}, "decisions are made from bytes and `now`, without a path or a sample"},
	{"peer/ladder", []string{"peer/wire$"}, "decisions are made from bytes and `now`, without a path or a sample"},
	{"peer/rpc", []string{"peer/wire$"}, "decisions are made from bytes and `now`, without a path or a sample"},
	{"peer/carrier/rtc", []string{"peer/carrier", "peer/wire$", "peer/signal$", "peer/ladder$", "peer/live$"}, "its Live channel loses packets, which live mends; all else a carrier leaves to others"},
	{"peer/carrier", []string{"peer/carrier", "peer/wire$", "peer/signal$", "peer/ladder$"}, "a carrier moves packets over one path: it decides nothing and knows no Conn"},
	{"peer", []string{"peer/", "peer$"}, "peer is a library: it imports neither the server nor the device nor a screen"},
	{"signaling/cli", []string{"signaling/", "peer", "dashboard$", "settings"}, "the command line assembles the server; the device is another program"},
	{"signaling$", []string{"signaling/", "peer", "dashboard$", "settings"}, "the server's main assembles the server; the device is another program"},
	{"signaling/server", []string{"signaling/", "peer", "dashboard$", "settings"}, "the server is assembled here; the device is another program"},
	{"signaling", []string{"signaling/", "peer"}, "the server's parts know neither its assembly's neighbours nor the device"},
	{"device$", []string{"device/", "peer", "settings"}, "the device's main assembles the agent; the server is another program"},
	{"device/cli", []string{"device/", "peer", "settings"}, "the command line assembles the agent; the server is another program"},
	{"device/agent", []string{"device/", "peer"}, "the agent is assembled here; the server is another program"},
	{"device/disk", []string{"device/disk"}, "a folder knows nothing of what is kept in it"},
	{"device/spool", []string{"device/disk$", "peer/wire$"}, "a spool keeps frames as bytes: it knows neither samples nor paths"},
	{"device/source", []string{"device/source", "peer/telemetry", "peer/wire$"}, "a source reads a sensor: it must not know that there is a network"},
	{"device/machine/cartpole", nil, "physics is a state, an input and a time in, a state out"},
	{"device/machine/rover", nil, "physics is a state, an input and a time in, a state out"},
	{"device/machine/balance", []string{"device/machine/cartpole$"}, "a controller decides from what it is told and `now`, with a model of what it steers"},
	{"device/machine", []string{"device/actuator$", "device/source$", "device/machine/", "peer/rpc$", "peer/telemetry$", "peer/wire$"}, "the machine is a source and an actuator: it must not know that there is a network"},
	{"device/urgent", nil, "how a program is started knows nothing of which"},
	{"device/actuator", []string{"device/actuator", "device/urgent$", "peer/rpc$", "peer/wire$"}, "an actuator does what it is told: it must not know that there is a network"},
	{"device/control/schema", nil, "a schema is checked by what it says alone"},
	{"device/control/journal", []string{"device/disk$", "peer/rpc$", "peer/wire$"}, "a journal remembers: what follows from it is decided elsewhere"},
	{"device/control/guard", []string{"device/urgent$"}, "who watches over a program has nothing of it in common but a pipe"},
	{"device/control", []string{"device/control", "device/actuator$", "device/disk$", "device/source$", "peer$", "peer/rpc$", "peer/telemetry$", "peer/wire$"}, "who decides knows neither how things are moved nor on which path it was asked"},
	{"device", []string{"device/", "peer"}, "the device's parts know neither the server nor a screen"},
	{"dashboard$", nil, "only the built web files live here"},
	{"dashboard", []string{"dashboard/term", "peer", "settings"}, "a screen is a viewer: it knows the link, neither server nor device"},
	{"settings/yaml", nil, "how a file is read is no business of who knows what stands in it"},
	{"settings/", []string{"settings$"}, "beside the settings there are only their tests"},
	{"settings", []string{"settings$", "settings/yaml$"}, "how flags, environment and files are merged is no business of a part: only programs and their command lines use it"},
	{"e2e", []string{"e2e/", "peer", "device/machine/balance$", "device/machine/cartpole$"}, "end to end means through the command line: the programs are started, not imported; an operator of our own may have the controller"},
	{".", nil, "the module's root holds this test only"},
}

func TestArrows(t *testing.T) {
	for _, p := range packages(t) {
		rule, found := ruleFor(p.name())
		if !found {
			t.Errorf("%s has no place in the architecture: add it to ARCHITECTURE.md and to the arrows of arch_test.go", p.name())
			continue
		}
		for _, imported := range p.Imports {
			ours, ok := strings.CutPrefix(imported, module+"/")
			if ok && !underAny(ours, rule.may) {
				t.Errorf("%s imports %s: %s", p.name(), ours, rule.reason)
			}
		}
	}
}

func ruleFor(name string) (arrow, bool) {
	for _, a := range arrows {
		if under(name, a.from) {
			return a, true
		}
	}
	return arrow{}, false
}

// edge is the one part of the server that knows samples: a device and a screen that live there for those who have neither
// (docs/adr/0014). What it publishes and shows passes through the relay like anybody's.
const edge = "signaling/rest"

// Package peer and all below it move bytes. So does the relay: a retained value or a last will is an opaque frame.
func TestLinksDoNotKnowSamples(t *testing.T) {
	for _, p := range packages(t) {
		if !underAny(p.name(), []string{"peer", "signaling"}) || underAny(p.name(), []string{"peer/telemetry", edge}) {
			continue
		}
		for _, imported := range p.Imports {
			if under(strings.TrimPrefix(imported, module+"/"), "peer/telemetry") {
				t.Errorf("%s imports peer/telemetry: a Conn and a relay move bytes, only sensors and screens know samples (invariant I6)", p.name())
			}
		}
	}
}

// doors names, for each third-party module, the only packages that may import it, so that it can be replaced in one place.
// e2e is free to use them: it measures the product against the bare libraries.
var doors = []struct {
	modules []string
	only    []string
	reason  string
}{
	{[]string{"github.com/pion/"}, []string{"peer/carrier/rtc", "signaling/turn"}, "WebRTC has one door"},
	{[]string{"github.com/coder/websocket"}, []string{"peer/carrier/ws"}, "WebSocket has one door"},
	{[]string{"github.com/eclipse/paho"}, nil, "MQTT is measured against, not spoken"},
	{[]string{"github.com/nats-io/"}, []string{"signaling/bus"}, "NATS has one door: nobody else may count on how the bus is built"},
	{[]string{"golang.org/x/crypto/acme"}, []string{"signaling/cert"}, "an authority's certificates are like any others to who shows them"},
	{[]string{"github.com/google/uuid"}, []string{"peer", "signaling/auth", "signaling/room", "signaling/bus", "device/agent"}, "uuid belongs where identities are made"},
	{[]string{"github.com/shirou/gopsutil/"}, []string{"device/source/host"}, "a driver stays in its source's folder"},
	{[]string{"go.yaml.in/yaml"}, []string{"settings/yaml$"}, "one package knows how files of settings are written"},
	{[]string{"github.com/fxamacker/cbor/"}, []string{"device/source/"}, "CBOR is a matter of the sources that meet it"},
}

func TestThirdPartyDoors(t *testing.T) {
	for _, p := range packages(t) {
		if under(p.name(), "e2e") {
			continue
		}
		for _, imported := range p.Imports {
			for _, door := range doors {
				if hasAnyPrefix(imported, door.modules) && !underAny(p.name(), door.only) {
					t.Errorf("%s imports %s: %s, in %s", p.name(), imported, door.reason, strings.Join(door.only, ", "))
				}
			}
		}
	}
}

func hasAnyPrefix(s string, prefixes []string) bool {
	for _, prefix := range prefixes {
		if strings.HasPrefix(s, prefix) {
			return true
		}
	}
	return false
}

// hiding are folder names that say nothing about what is in them.
var hiding = []string{"cmd", "pkg", "util", "utils", "common", "models", "helpers", "misc"}

func TestNoFolderHidesTheArchitecture(t *testing.T) {
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		if name := d.Name(); path != "." && (strings.HasPrefix(name, ".") || name == "node_modules" || name == "dist") {
			return fs.SkipDir
		}
		for _, name := range hiding {
			if d.Name() == name {
				t.Errorf("folder %s: a folder is named after what it is, %q hides that one level deeper", path, name)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
