//go:build !linux

package gpio

import (
	"errors"
	"net"
)

var errNotHere = errors.New("pins are for Linux: this system has neither /dev/gpiochip* nor /sys/class/pwm")

func supported() error { return errNotHere }

func takePin(Output, uint64) (output, error) { return nil, errNotHere }

func peer(net.Conn) (pid int, err error) { return 0, errNotHere }

func isStopped(int) bool { return false }

func steadfast() {}
