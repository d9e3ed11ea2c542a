package settings

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// Version says which source the program was built from, as the Go tool
// recorded it: module version, revision, whether there were changes beyond it.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	return describe(info)
}

func describe(info *debug.BuildInfo) string {
	version, revision, changed := info.Main.Version, "", ""
	if version == "" || version == "(devel)" {
		version = "devel"
	}
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			revision = s.Value[:min(12, len(s.Value))] + " "
		case s.Key == "vcs.modified" && s.Value == "true":
			changed = "changed "
		}
	}
	return fmt.Sprintf("%s (%s%s%s %s/%s)", version, revision, changed, info.GoVersion, runtime.GOOS, runtime.GOARCH)
}
