//go:build !linux

package network

import "context"

// gateway is not known here: the own addresses have to do.
func gateway() string { return "" }

// Watch does nothing where the system has no way to tell that we know.
func Watch(context.Context, func()) {}
