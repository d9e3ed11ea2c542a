package drive

import (
	"regexp"
	"slices"

	"github.com/telepath-iot/telepath/peer/rpc"
)

// sticks say which axes the keys move. The dashboard's page guesses in the same way (dashboard/web/src/hands/sticks.ts), and
// testdata/sticks.json holds for both.
type sticks struct {
	ahead, side *rpc.Axis // nil: none
	left        bool      // of side: what is positive
}

var (
	forwardNames = regexp.MustCompile(`(?i)speed|drive|throttle|forward|linear|velocity`)
	turnNames    = regexp.MustCompile(`(?i)turn|steer|yaw|angular|rotat`)
	// leftNames: by convention a turn to the left is positive (ISO 8855), a steering wheel's is not.
	leftNames = regexp.MustCompile(`(?i)turn|yaw|angular|rotat`)
)

// sticksFor guesses by the names of the axes: one that turns is to the side. Without such names the first two are ahead and to
// the side, and one alone is to the side.
func sticksFor(axes []rpc.Axis) (s sticks) {
	turn := slices.IndexFunc(axes, func(a rpc.Axis) bool { return turnNames.MatchString(a.Name) })
	ahead := -1
	for i, a := range axes {
		if i != turn && forwardNames.MatchString(a.Name) {
			ahead = i
			break
		}
	}
	switch {
	case turn >= 0 || ahead >= 0:
	case len(axes) == 1:
		turn = 0
	case len(axes) > 1:
		ahead, turn = 0, 1
	}
	if ahead >= 0 {
		s.ahead = &axes[ahead]
	}
	if turn >= 0 {
		s.side, s.left = &axes[turn], leftNames.MatchString(axes[turn].Name)
	}
	return s
}
