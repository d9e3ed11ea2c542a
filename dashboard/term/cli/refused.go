package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/telepath-iot/telepath/dashboard/term/view"
	"github.com/telepath-iot/telepath/peer"
)

// explain adds to a refusal the devices that may have been meant.
func explain(err error) error {
	var refused *peer.RefusedError
	if !errors.As(err, &refused) || len(refused.Candidates) == 0 {
		return err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\nThere are:\n", view.Escape(refused.Error()))
	if err := printDevices(&b, refused.Candidates, false); err != nil {
		return err
	}
	return errors.New(b.String())
}
