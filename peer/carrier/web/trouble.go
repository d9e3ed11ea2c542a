package web

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/telepath-iot/telepath/peer/carrier"
)

// trouble is an answer that is none of the server's, or not all of it.
type trouble struct {
	kind  troubleKind
	size  int    // of what did not get through, or might have been
	seen  string // for people
	cause error  // may be nil
}

type troubleKind int

const (
	broken    troubleKind = iota // something between had no answer to give
	tooBig                       // something between lets nothing through that is so large
	brokenOff                    // a part of the answer came
)

// forSize reports whether the size is to blame, after so many cuts before. An
// answer may break off for many reasons, but hardly twice in a row for one
// that is not its size.
func (t *trouble) forSize(cuts int) bool {
	return t.kind == tooBig || t.kind == brokenOff && cuts > 0
}

func (t *trouble) Error() string {
	if t.cause != nil {
		return t.seen + ": " + t.cause.Error()
	}
	return t.seen
}

func (t *trouble) Unwrap() error { return t.cause }

// answerError says what an answer means that is not the one hoped for: the
// server's refusal, or something between. size is that of what was sent.
func answerError(answer *http.Response, size int) error {
	if refused := carrier.ReadRefusal(answer); refused != nil {
		return refused
	}
	seen := "status " + answer.Status
	switch to := answer.Header.Get("Location"); {
	case to != "":
		return carrier.Fail("not-telepath", fmt.Sprintf("%s to %.200s: use that URL if you trust it", answer.Status, to), nil)
	case answer.StatusCode == http.StatusProxyAuthRequired:
		return carrier.Fail("proxy-auth-required", "", nil)
	case answer.StatusCode == http.StatusRequestEntityTooLarge:
		return &trouble{kind: tooBig, size: size, seen: seen}
	case answer.StatusCode >= http.StatusInternalServerError:
		return &trouble{seen: seen}
	}
	return carrier.Fail("not-telepath", seen, nil)
}

// openError names what kept a link from opening.
func openError(err error) error {
	var t *trouble
	switch {
	case final(err):
		return err
	case errors.As(err, &t):
		return carrier.Fail("not-telepath", t.Error(), err)
	}
	return carrier.Explain(err)
}
