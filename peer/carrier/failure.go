package carrier

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"strings"
)

// Failure is why a way to the server does not work: a name for programs, a
// reason and a remedy for people (invariant I8). The texts stand in one table,
// failures.json, which the browser's dashboard reads as well.
type Failure struct {
	Name   string // a key of the table
	Reason string // what happened
	Remedy string // what to do
	Detail string // what was seen: a status, a certificate's issuer; may be empty
	Cause  error  // may be nil
}

//go:embed failures.json
var failureTable []byte

var failures = func() (table map[string]struct{ Reason, Remedy string }) {
	if err := json.Unmarshal(failureTable, &table); err != nil {
		panic("carrier: failures.json: " + err.Error())
	}
	return table
}()

// Fail makes a Failure of the table. A name that it lacks is a mistake in the
// program; it is shown as it is.
func Fail(name, detail string, cause error) *Failure {
	text := failures[name]
	return &Failure{Name: name, Reason: text.Reason, Remedy: text.Remedy, Detail: detail, Cause: cause}
}

// Error implements error.
func (f *Failure) Error() string {
	text := f.Reason
	if text == "" {
		text = f.Name
	}
	if f.Detail != "" {
		text = fmt.Sprintf("%s (%s)", text, f.Detail)
	}
	if f.Remedy != "" {
		text += ": " + f.Remedy
	}
	return text
}

// Brief is the failure in one clause, with its name: for a list of them.
func (f *Failure) Brief() string {
	text := f.Reason
	if f.Detail != "" {
		text += ", " + f.Detail
	}
	return strings.TrimPrefix(fmt.Sprintf("%s (%s)", text, f.Name), " ")
}

// Unwrap makes the cause visible to errors.Is and errors.As.
func (f *Failure) Unwrap() error { return f.Cause }
