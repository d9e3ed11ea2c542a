//go:build !unix

package agent

import "os"

// hold does nothing where there are no advisory locks: there the server tells
// two agents with one key apart, by letting the newer take over.
func hold(*os.File) error { return nil }

// held cannot know.
func held(*os.File) (bool, error) { return true, nil }
