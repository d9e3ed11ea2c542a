// Package slack says how much longer than its goal something may take where other programs need the processors, too.
package slack

import (
	"fmt"
	"os"
	"strconv"
	"time"
)

// Variable sets what Of multiplies times with.
const Variable = "TELEPATH_SLACK"

// usual is for two processors that others use as well, where a program now and then does not run for a second or two. What is out
// of order misses these bounds, too. Whether the goals are met `make soak` finds out, on a quiet machine and without slack.
const usual = 4

var factor = func() time.Duration {
	if n, err := strconv.Atoi(os.Getenv(Variable)); err == nil && n > 0 {
		return time.Duration(n)
	}
	return usual
}()

// None is for who measures whether goals are met: no slack from now on, here and in the programs that are started.
func None() {
	factor = 1
	os.Setenv(Variable, "1")
}

// Usual is the entry of an environment that gives a program the usual slack again.
func Usual() string { return fmt.Sprintf("%s=%d", Variable, usual) }

// Of is how long something may take here whose goal is d.
func Of(d time.Duration) time.Duration { return factor * d }
