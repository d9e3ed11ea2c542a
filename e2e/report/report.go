// Package report writes pages of what was measured: each part has a section, which stays as it is until that part is run again.
package report

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/telepath-iot/telepath/e2e/tidy"
)

// Page is a page's title and the names of its sections, in their order.
type Page struct {
	Title string
	Names []string
}

// Read takes the page in a file apart into its sections, by their names. There are none where there is no such file.
func Read(path string) (map[string]string, error) {
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	sections := map[string]string{}
	for _, chunk := range strings.Split(string(text), "\n<!-- ")[1:] {
		if name, text, ok := strings.Cut(chunk, " -->\n"); ok {
			sections[name] = text
		}
	}
	return sections, nil
}

// Known refuses what was asked for that there is not.
func Known(what string, there, asked []string) error {
	for _, name := range asked {
		if !slices.Contains(there, name) {
			return fmt.Errorf("there is no %s %q, but %s", what, name, strings.Join(there, ", "))
		}
	}
	return nil
}

// Write puts the page of these sections into a file. Names that the page does not have are left out. A run that is interrupted writes
// nothing more.
func (p Page) Write(path string, sections map[string]string) error {
	tidy.Hold()
	text := p.Title
	for _, name := range p.Names {
		if section, ok := sections[name]; ok {
			text += "\n<!-- " + name + " -->\n" + strings.TrimRight(section, "\n") + "\n"
		}
	}
	return os.WriteFile(path, []byte(text), 0o644)
}

// When says when, and of which commit, a section is. The commit is that of the first call: a page that is written is a change, too.
func When() string { return time.Now().UTC().Format("2006-01-02 15:04 MST") + ", " + commit() }

// Machine says on what a section was measured.
func Machine() string {
	return fmt.Sprintf("%s/%s, %d cores, %s", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version())
}

var commit = sync.OnceValue(func() string {
	out, err := exec.Command("git", "describe", "--always", "--dirty").Output()
	if err != nil {
		return "an unknown commit"
	}
	return "commit " + strings.TrimSpace(string(out))
})
