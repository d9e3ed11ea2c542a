package agent

import (
	"bufio"
	"bytes"
	"io"
	"io/fs"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/telepath-iot/telepath/peer/wire"
)

// maxFact bounds a fact, in bytes: it is a label, and comes from whoever made the board.
const maxFact = 64

// facts are short strings about the machine, for people. root is the file system's.
func facts(root fs.FS) map[string]string {
	host, _ := os.Hostname()
	all := map[string]string{
		"os":    osName(root),
		"arch":  runtime.GOARCH,
		"host":  host,
		"model": model(root),
		"boot":  bootTime(root),
	}
	for name, text := range all {
		if all[name] = clean(text); all[name] == "" {
			delete(all, name)
		}
	}
	return all
}

// osName is the distribution's own name for itself, or just the system's.
func osName(root fs.FS) string {
	for line := range lines(root, "etc/os-release") {
		if name, found := strings.CutPrefix(line, "PRETTY_NAME="); found {
			return strings.Trim(name, `"'`)
		}
	}
	return runtime.GOOS
}

// model is what the board or the computer is called: from the device tree on
// boards, from the firmware's tables (DMI) on PCs.
func model(root fs.FS) string {
	for _, path := range []string{"proc/device-tree/model", "sys/firmware/devicetree/base/model"} {
		if text := read(root, path); text != "" {
			return text
		}
	}
	vendor, product := read(root, "sys/class/dmi/id/sys_vendor"), read(root, "sys/class/dmi/id/product_name")
	if strings.HasPrefix(product, vendor) {
		return product
	}
	return vendor + " " + product
}

func bootTime(root fs.FS) string {
	for line := range lines(root, "proc/stat") {
		if text, found := strings.CutPrefix(line, "btime "); found {
			if seconds, err := strconv.ParseInt(text, 10, 64); err == nil {
				return time.Unix(seconds, 0).UTC().Format(time.RFC3339)
			}
		}
	}
	return ""
}

// maxFactFile is how much of a file is looked at, in bytes.
const maxFactFile = 64 << 10

func read(root fs.FS, path string) string {
	f, err := root.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	data, _ := io.ReadAll(io.LimitReader(f, maxFactFile)) // what can be read counts
	return strings.TrimSpace(string(bytes.Trim(data, "\x00\n")))
}

func lines(root fs.FS, path string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for scan := bufio.NewScanner(strings.NewReader(read(root, path))); scan.Scan(); {
			if !yield(scan.Text()) {
				return
			}
		}
	}
}

// clean makes a fact a label: printable, and short.
func clean(text string) string {
	text = strings.Map(func(r rune) rune {
		if wire.Printable(r) {
			return r
		}
		return -1
	}, text)
	text = strings.TrimSpace(text)
	if len(text) <= maxFact {
		return text
	}
	end := maxFact
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end]
}
