package spool

import (
	"errors"
	"log/slog"
	"syscall"
	"time"
)

// How long to wait before the disk is tried again, doubling.
const (
	firstRetry = time.Second
	lastRetry  = 30 * time.Second
)

// outage is a time in which the disk takes nothing. It is told once, and its end.
type outage struct {
	log   *slog.Logger
	retry time.Duration // 0: there is none
	until time.Duration // before which the disk is left alone
}

// failed notes a failure and says when to try again.
func (o *outage) failed(now time.Duration, err error) {
	if o.retry == 0 {
		o.log.Warn("the spool cannot be written, trying again", "reason", err.Error())
	}
	o.retry = min(max(2*o.retry, firstRetry), lastRetry)
	o.until = now + o.retry
}

// worked notes that the disk confirmed what it was given.
func (o *outage) worked(refused uint64) {
	if o.retry != 0 {
		o.log.Info("the spool is written again", "refused", refused)
	}
	o.retry, o.until = 0, 0
}

// isFull reports whether a failure is want of room.
func isFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}
