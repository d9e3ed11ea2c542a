package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/telepath-iot/telepath/e2e/bench/plot"
)

// plotName is the page of plots, beside the table.
const plotName = "ages.svg"

// plotPeers draws what was steady, if anything was, into a folder.
func plotPeers(r *peersResult, folder string) error {
	page := plot.Page{
		Title: "How old samples are when they come",
		Note:  fmt.Sprintf("%d samples of %d bytes a second, %d × %v. %s. Drawn by `make bench`.", rate, sampleSize, r.rounds, r.length, dated()),
		Mark:  milliseconds(liveDeadline),
	}
	for _, who := range contestants {
		page.Styles = append(page.Styles, who.Style)
	}
	for _, c := range steady {
		curves := map[string]plot.Curve{}
		for who, row := range r.rows[c.name] {
			if row.made > 0 {
				curves[who] = plot.Curve{Ages: row.ages, Sent: row.made}
			}
		}
		if len(curves) > 0 {
			page.Panels = append(page.Panels, plot.Panel{Title: c.name + ": " + c.link, Curves: curves})
		}
	}
	if len(page.Panels) == 0 {
		return nil
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, plotName), page.SVG(), 0o644)
}
