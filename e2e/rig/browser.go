package rig

import (
	"path/filepath"

	"github.com/telepath-iot/telepath/e2e/lab"
	"github.com/telepath-iot/telepath/e2e/program"
)

// Browse opens a login URL in a real Chromium on a host, goes to a device's page and reports what the page gets and shows as
// events. e2e/browser/watch.mjs is the other half. More arguments: "--width=360", "--shot=FILE", "--dark".
func (r *Rig) Browse(on *lab.Host, loginURL, device string, args ...string) (*Watcher, error) {
	root := filepath.Dir(r.Bin)
	w := newWatcher()
	var err error
	w.Program, err = r.Start(on, program.Spec{
		Name:   "chromium",
		OnLine: w.line,
		Stdin:  true, // its end is the browser's end
		Args: append([]string{
			"node", filepath.Join(root, "e2e", "browser", "watch.mjs"), loginURL, device,
		}, args...),
	})
	return w, err
}
