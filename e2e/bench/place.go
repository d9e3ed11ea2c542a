package main

import (
	"github.com/telepath-iot/telepath/e2e/rig"
	"github.com/telepath-iot/telepath/e2e/tidy"
)

// newRig is a rig with a folder of its own, until end is called.
func newRig() (r *rig.Rig, end func(), err error) {
	dir, remove, err := tidy.Folder("telepath-bench-")
	if err != nil {
		return nil, nil, err
	}
	if r, err = rig.New(dir); err != nil {
		remove()
		return nil, nil, err
	}
	return r, remove, nil
}

// newFar is a rig and a link of these conditions, whose program takes args beside, until end is called.
func newFar(conditions string, args ...string) (r *rig.Rig, far *rig.FarLink, end func(), err error) {
	r, remove, err := newRig()
	if err != nil {
		return nil, nil, nil, err
	}
	if far, err = rig.NewFarLink(r.Dir, conditions, args...); err != nil {
		remove()
		return nil, nil, nil, err
	}
	return r, far, func() { far.Close(); remove() }, nil
}
