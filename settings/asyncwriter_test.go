package settings

import (
	"bufio"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
)

// logging is a program whose log goes into a pipe, with so many lines.
func logging(lines int, wrote chan<- struct{}) (reader io.Reader, run func() int) {
	r, w := io.Pipe()
	root := &cobra.Command{Use: "program", RunE: func(cmd *cobra.Command, _ []string) error {
		log, err := Log(cmd)
		if err != nil {
			return err
		}
		for i := range lines {
			log.Info(strings.Repeat("x", 1000), "line", i)
		}
		close(wrote)
		return errors.New("the end")
	}}
	root.SetErr(w)
	return r, func() int {
		defer w.Close()
		return Run(context.Background(), root, nil)
	}
}

// TestNobodyHasToReadTheLog: a program goes on when its log is stopped, and what was dropped is told.
func TestNobodyHasToReadTheLog(t *testing.T) {
	wrote := make(chan struct{})
	r, run := logging(1000, wrote)
	go run()
	select {
	case <-wrote:
	case <-time.After(10 * time.Second):
		t.Fatal("the program waits for its log to be read")
	}
	var lines, told int
	for read := bufio.NewScanner(r); read.Scan(); {
		switch text := read.Text(); {
		case strings.Contains(text, "xxx"):
			lines++
		case strings.Contains(text, `"dropped":`):
			told++
		}
	}
	if lines < 200 || lines > 300 || told != 1 {
		t.Errorf("%d lines were kept, and %d times told of others; want some 250, and once", lines, told)
	}
}

// TestALogIsWrittenBeforeTheEnd, in its order, and the error behind it.
func TestALogIsWrittenBeforeTheEnd(t *testing.T) {
	r, run := logging(100, make(chan struct{}))
	code := make(chan int, 1)
	go func() { code <- run() }()
	var all []string
	for read := bufio.NewScanner(r); read.Scan(); {
		all = append(all, read.Text())
	}
	if len(all) != 101 || !strings.Contains(all[0], `"line":0`) || !strings.Contains(all[99], `"line":99`) || all[100] != "program: the end" {
		t.Errorf("%d lines, the last %.80q", len(all), all[len(all)-1:])
	}
	if got := <-code; got != exitFailed {
		t.Errorf("exit code %d", got)
	}
}
