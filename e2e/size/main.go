// Command size checks the agent against its budget: its program on disk, stripped, for the boards it is meant for, and its
// resident memory with one viewer at 100 samples a second and with each further one.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/telepath-iot/telepath/e2e/tidy"
)

// The budget.
const (
	maxProgram = 13_000_000 // bytes, for the smallest board
	maxRSS     = 24 << 20   // bytes with one viewer
	maxFurther = 1 << 20    // bytes for each further viewer
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "size:", err)
		os.Exit(1)
	}
}

func run() error {
	return errors.Join(checkPrograms(), checkMemory())
}

var targets = []struct {
	name  string
	env   []string
	limit int64 // 0: shown only
}{
	{"linux/arm (GOARM=6)", []string{"GOARCH=arm", "GOARM=6"}, maxProgram},
	{"linux/arm64", []string{"GOARCH=arm64"}, 0},
	{"linux/amd64", []string{"GOARCH=amd64"}, 0},
}

func checkPrograms() error {
	dir, remove, err := tidy.Folder("telepath-size-")
	if err != nil {
		return err
	}
	defer remove()
	var over error
	fmt.Println("program of the agent, stripped")
	for i, target := range targets {
		size, err := build(filepath.Join(dir, fmt.Sprint(i)), target.env)
		if err != nil {
			return fmt.Errorf("%s: %w", target.name, err)
		}
		fmt.Printf("  %-22s %6.2f MB%s\n", target.name, float64(size)/1e6, budget(size, target.limit, 1e6, "MB"))
		if target.limit > 0 && size > target.limit {
			over = fmt.Errorf("%s: %d bytes, the budget is %d", target.name, size, target.limit)
		}
	}
	return over
}

func build(path string, env []string) (int64, error) {
	cmd := exec.Command("make", "agent", "OUT="+path)
	cmd.Env = append(append(os.Environ(), "GOOS=linux"), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("make agent: %w: %s", err, strings.TrimSpace(string(out)))
	}
	info, err := os.Stat(path)
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

func budget(value, limit int64, unit float64, name string) string {
	if limit == 0 {
		return ""
	}
	verdict := "ok"
	if value > limit {
		verdict = "TOO BIG"
	}
	return fmt.Sprintf("   budget %.0f %s: %s", float64(limit)/unit, name, verdict)
}
