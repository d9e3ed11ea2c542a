package carrier

import (
	"errors"
	"fmt"

	"github.com/telepath-iot/telepath/peer/wire"
)

// ErrClosed is what Run returns when the other end closed the path on purpose
// and gave no code.
var ErrClosed = errors.New("the other end closed the connection")

// CloseError is what Run returns when one end closed the path with a code.
type CloseError struct {
	Code   wire.Code
	Reason string // what happened, for people
	Remote bool   // the other end closed it
}

func (e *CloseError) Error() string {
	by := "closed"
	if e.Remote {
		by = "closed by the other end"
	}
	if e.Reason == "" {
		return fmt.Sprintf("%s: %s", by, e.Code.Name)
	}
	return fmt.Sprintf("%s: %s: %s", by, e.Code.Name, e.Reason)
}

// Refused is the server's answer to a request for a link that it does not
// grant, given before the upgrade (protocol section 6.1).
type Refused struct {
	Status int // HTTP
	Code   wire.Code
	Reason string // what happened
	Remedy string // what to do
}

func (e *Refused) Error() string {
	text := fmt.Sprintf("refused (%s): %s", e.Code.Name, e.Reason)
	if e.Remedy != "" {
		text += ": " + e.Remedy
	}
	return text
}
