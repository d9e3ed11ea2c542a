// Package outcome carries what a test measured to the program that writes docs/soak.md: one line of JSON a row, in a file
// that the environment names.
package outcome

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"
)

// Variable names the file; without it nothing is written.
const Variable = "TELEPATH_OUTCOME"

// Cell is one network before one program.
type Cell struct {
	Test           string
	Failed         bool
	First, Again   time.Duration // until the first sample, also on the second visit
	Rung           string        // it came on; empty: not told
	Tries          int           // until the times were within their bounds
	Sent           int           // events
	Lost, Repeated int
	Disorder       int
	InGaps         int
}

// Slow is one load on a slow hop.
type Slow struct {
	Test          string
	Failed        bool
	Streams       int
	P50, P95, Max time.Duration // age of samples
	Stalest       time.Duration // how old the newest value shown ever was
	Before, After []float64     // MiB of server, agent and viewer
	Tries         int           // until the ages were within their bounds
}

var mu sync.Mutex

// Tell writes a row when the test is over, which may fill it in until then. finish notes how it ended.
func Tell(t *testing.T, row any, finish func(failed bool)) {
	path := os.Getenv(Variable)
	if path == "" {
		return
	}
	t.Cleanup(func() {
		finish(t.Failed())
		if err := add(path, row); err != nil {
			t.Error(err)
		}
	})
}

func add(path string, row any) error {
	mu.Lock()
	defer mu.Unlock()
	line, err := json.Marshal(row)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(append(line, '\n'))
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	return err
}

// Read returns the rows of a file, in the order in which the tests ended.
func Read[Row any](path string) (rows []Row, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var row Row
		if err := json.Unmarshal(lines.Bytes(), &row); err != nil {
			return nil, fmt.Errorf("outcome %.100q: %w", lines.Text(), err)
		}
		rows = append(rows, row)
	}
	return rows, lines.Err()
}
