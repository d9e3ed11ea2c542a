package main

import (
	"fmt"
	"slices"

	"github.com/telepath-iot/telepath/e2e/lab"
	"github.com/telepath-iot/telepath/e2e/rig"
)

// measureEmpty has somebody do the same at a page with nothing on it: what the browser takes until it calls a page.
func measureEmpty(host *lab.Host, into []*inputs) error {
	r, end, err := newRig()
	if err != nil {
		return err
	}
	defer end()
	page, err := r.BrowseEmpty(host)
	if err != nil {
		return err
	}
	defer page.Kill()
	for i, hand := range byHands {
		if err := useEmpty(page, hand, into[i]); err != nil {
			return fmt.Errorf("%s: %w", into[i].name, err)
		}
	}
	return nil
}

func useEmpty(page *rig.Watcher, hand byHand, into *inputs) error {
	if err := doAll(page, slices.Concat(hand.before, []string{hand.hold})...); err != nil {
		return err
	}
	for range inputBursts {
		_, did, err := page.Does(hand.burst())
		if err != nil {
			return err
		}
		all, err := into.read(did.Value)
		if err != nil {
			return err
		}
		for _, each := range all {
			into.page = append(into.page, each.Seen-each.At)
		}
	}
	return doAll(page, hand.letGo)
}

func doAll(page *rig.Watcher, verbs ...string) error {
	for _, verb := range verbs {
		if _, _, err := page.Does(verb); err != nil {
			return err
		}
	}
	return nil
}
