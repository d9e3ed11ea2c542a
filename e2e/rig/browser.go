package rig

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"github.com/telepath-iot/telepath/e2e/lab"
	"github.com/telepath-iot/telepath/e2e/program"
)

// Browse opens a login URL in a real Chromium on a host, goes to a device's page and reports what the page gets and shows as
// events. e2e/browser/watch.mjs is the other half. More arguments: "--width=360", "--shot=FILE", "--dark".
func (r *Rig) Browse(on *lab.Host, loginURL, device string, args ...string) (*Watcher, error) {
	return r.browser(on, "watch.mjs", append([]string{loginURL, device}, args...)...)
}

// browser starts a script of e2e/browser.
func (r *Rig) browser(on *lab.Host, script string, args ...string) (*Watcher, error) {
	w := newWatcher()
	w.page = true
	var err error
	w.Program, err = r.Start(on, program.Spec{
		Name:   "chromium",
		OnLine: w.line,
		Stdin:  true, // its end is the browser's end
		Args:   append([]string{"node", filepath.Join(filepath.Dir(r.Bin), "e2e", "browser", script)}, args...),
	})
	return w, err
}

// BrowseEmpty opens a page in a real Chromium that has nothing on it, for somebody to use (Watcher.Does): what the browser takes.
func (r *Rig) BrowseEmpty(on *lab.Host) (*Watcher, error) {
	oneChromium.Lock()
	defer oneChromium.Unlock()
	w, err := r.browser(on, "empty.mjs")
	if err != nil {
		return nil, err
	}
	return w, w.awaitReady()
}

const (
	browserStart = 40 * time.Second // until there is a document, on a loaded machine
	browserFirst = 10 * time.Second // from there to the first sample, which is measured
)

// Opened is a page that has shown its first sample.
type Opened struct {
	*Watcher           // nil if there is no browser
	Loaded   time.Time // when its document began
	First    Event
}

// oneChromium starts, or is measured, at a time: each takes all there is for a second or two.
var oneChromium sync.Mutex

// BrowseReady is Browse for who needs the device's page, and not how it begins. The watcher is nil if there is no browser.
func (r *Rig) BrowseReady(on *lab.Host, loginURL, device string, args ...string) (*Watcher, error) {
	oneChromium.Lock()
	defer oneChromium.Unlock()
	w, err := r.Browse(on, loginURL, device, args...)
	if err != nil {
		return nil, err
	}
	return w, w.awaitReady()
}

func (w *Watcher) awaitReady() error {
	_, err := w.Await("ready page", 0, browserStart, func(e Event) bool { return e.Type == "ready" })
	return err
}

// Open is Browse for who measures a first sample: only one browser of this process starts at a time.
func (r *Rig) Open(on *lab.Host, loginURL, device string, args ...string) (o Opened, err error) {
	oneChromium.Lock()
	defer oneChromium.Unlock()
	w, err := r.Browse(on, loginURL, device, args...)
	if err != nil {
		return o, err
	}
	o, err = w.AwaitOpened(0)
	o.Watcher = w
	return o, err
}

// Reload loads the page again, and measures as Open does.
func (w *Watcher) Reload() (o Opened, err error) {
	oneChromium.Lock()
	defer oneChromium.Unlock()
	mark := w.Mark()
	if err := w.Write("reload"); err != nil {
		return o, err
	}
	return w.AwaitOpened(mark)
}

// AwaitOpened waits for the first sample of a page that began to load behind a mark. What a browser needs to start, and to go
// to a page, does not count: time begins with the new document.
func (w *Watcher) AwaitOpened(mark int) (o Opened, err error) {
	document, err := w.Await("document", mark, browserStart, func(e Event) bool { return e.Type == "load" })
	if err != nil {
		return o, err
	}
	o.Watcher, o.Loaded = w, document.At
	o.First, err = w.Await("first sample", w.MarkOf(document), browserFirst, func(e Event) bool {
		return e.Type == "sample" && !e.Retained && !e.Restored
	})
	return o, err
}

// WarmUpChromium starts it once: the first start on a machine reads it from the disk, which is no business of a first sample.
// profile is a folder of its own.
func WarmUpChromium(ctx context.Context, profile string) error {
	ctx, cancel := context.WithTimeout(ctx, browserStart)
	defer cancel()
	cmd := exec.CommandContext(ctx, "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--user-data-dir="+profile, "--dump-dom", "about:blank")
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := program.Run(cmd); err != nil {
		return fmt.Errorf("start Chromium: %w: %.500s", err, &said)
	}
	return nil
}
