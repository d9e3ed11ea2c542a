package server

import (
	"errors"
	"fmt"
	"time"

	"github.com/telepath-iot/telepath/peer/folder"
)

// lockPatience is how long to wait for a predecessor that was just told to end.
const lockPatience = 2 * time.Second

// openFolder makes the data folder if it is not there, and holds it against
// other servers: two of them would spoil the registry for one another.
func openFolder(path string) (*folder.Lock, error) {
	lock, err := folder.Hold(path, lockPatience)
	if held := (*folder.HeldError)(nil); errors.As(err, &held) {
		return nil, fmt.Errorf("data folder %s is in use by another server (%w): stop that one, or give each its own with --data DIR", path, held)
	}
	if err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	return lock, nil
}
