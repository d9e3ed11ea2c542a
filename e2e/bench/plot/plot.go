// Package plot draws distributions of ages as one page of SVG, a panel for each condition: which share of what was sent had come
// by which age. Both axes are logarithmic, the vertical one in what is missing, so that 99 % and 99.9 % are as far apart as 90 %
// and 99 %: that is where the subjects differ. The page follows the reader's light or dark scheme and needs nothing beside it.
package plot

import (
	"bytes"
	"fmt"
	"html"
	"math"
	"slices"
	"strconv"
)

// Page is a title, panels, and a legend of all their curves.
type Page struct {
	Title, Note string
	Mark        float64 // an age to draw a line at, in ms: the deadline
	Styles      []Style // of the curves that there may be, in the legend's order
	Panels      []Panel
}

// Style is how one subject is drawn everywhere.
type Style struct {
	Name string
	Hue  Hue
	Dash Dash
	Bold bool
}

// Panel is the curves of one condition, by their styles' names.
type Panel struct {
	Title  string
	Curves map[string]Curve
}

// Curve is the ages of what came, in ms, and how much was sent.
type Curve struct {
	Ages []float64
	Sent float64
}

// The page's measures, in px.
const (
	pageWidth              = 1080
	top                    = 74 // above the panels: title and note
	cellWidth, cellHeight  = pageWidth / 2, 310
	left, right            = 74, 18 // of a panel, inside its cell
	above, below           = 34, 44
	plotWidth, plotHeight  = cellWidth - left - right, cellHeight - above - below
	legendLine, sampleLine = 20, 44
)

// The axes' ranges.
const (
	youngest, oldest = 20.0, 5000.0 // ms
	nines            = 3.5          // the highest line is 99.97 %; what is above is drawn on it
)

var (
	ageTicks   = []float64{20, 50, 100, 250, 500, 1000, 2000, 5000}
	shareTicks = []float64{0, 0.5, 0.9, 0.99, 0.999}
)

// SVG draws the page.
func (p Page) SVG() []byte {
	var b bytes.Buffer
	cells := len(p.Panels) + 1 // the last one is the legend
	height := top + (cells+1)/2*cellHeight + 10
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" font-family="system-ui, sans-serif" font-size="12">`+"\n", pageWidth, height, pageWidth, height)
	fmt.Fprintf(&b, "<title>%s</title>\n<desc>%s</desc>\n<style>%s</style>\n", html.EscapeString(p.Title), html.EscapeString(p.Note), stylesheet())
	fmt.Fprintf(&b, `<rect class="paper" width="%d" height="%d"/>`+"\n", pageWidth, height)
	text(&b, 20, 30, "title", p.Title)
	text(&b, 20, 52, "note", p.Note)
	for i, panel := range p.Panels {
		open(&b, i)
		p.panel(&b, panel)
		b.WriteString("</g>\n")
	}
	open(&b, len(p.Panels))
	p.legend(&b)
	b.WriteString("</g>\n</svg>\n")
	return b.Bytes()
}

// open begins the cell of a number.
func open(b *bytes.Buffer, cell int) {
	fmt.Fprintf(b, `<g transform="translate(%d %d)">`+"\n", cell%2*cellWidth, top+cell/2*cellHeight)
}

func (p Page) panel(b *bytes.Buffer, panel Panel) {
	text(b, left, above-12, "name", panel.Title)
	for _, age := range ageTicks {
		x := across(age)
		fmt.Fprintf(b, `<path class="grid" d="M%s %dV%d"/>`, px(x), above, above+plotHeight)
		middle(b, x, above+plotHeight+16, strconv.FormatFloat(age, 'f', -1, 64))
	}
	for _, share := range shareTicks {
		y := up(share)
		fmt.Fprintf(b, `<path class="grid" d="M%d %sH%d"/>`, left, px(y), left+plotWidth)
		fmt.Fprintf(b, `<text class="tick" text-anchor="end" x="%d" y="%s">%s %%</text>`, left-8, px(y+4), strconv.FormatFloat(100*share, 'f', -1, 64))
	}
	fmt.Fprintf(b, `<text class="tick" text-anchor="end" x="%d" y="%d">≥ %.2f %%</text>`, left-8, above+4, 100*(1-math.Pow(10, -nines)))
	middle(b, left+plotWidth/2, above+plotHeight+34, "age in ms, and the share of all samples made that had come by then")
	if p.Mark > 0 {
		fmt.Fprintf(b, `<path class="mark" d="M%s %dV%d"/>`, px(across(p.Mark)), above, above+plotHeight)
	}
	b.WriteString("\n")
	for _, style := range p.Styles {
		if curve, drawn := panel.Curves[style.Name]; drawn {
			fmt.Fprintf(b, `<path class="%s" d="%s"><title>%s</title></path>`+"\n", style.class(), curve.path(), html.EscapeString(style.Name))
		}
	}
}

// legend has a line for each style that some panel has.
func (p Page) legend(b *bytes.Buffer) {
	y := above
	for _, style := range p.Styles {
		if !slices.ContainsFunc(p.Panels, func(panel Panel) bool { _, drawn := panel.Curves[style.Name]; return drawn }) {
			continue
		}
		fmt.Fprintf(b, `<path class="%s" d="M%d %dh%d"/>`, style.class(), left, y-4, sampleLine)
		text(b, left+sampleLine+12, y, "", style.Name)
		y += legendLine
	}
	if p.Mark > 0 {
		fmt.Fprintf(b, `<path class="mark" d="M%d %dh%d"/>`, left, y-4, sampleLine)
		text(b, left+sampleLine+12, y, "", fmt.Sprintf("deadline, %.0f ms", p.Mark))
	}
}

// path is a curve as steps. It begins where the first one came, and goes on to the right edge.
func (c Curve) path() string {
	ages := slices.Sorted(slices.Values(c.Ages))
	var b bytes.Buffer
	drawn := up(0)
	for x := float64(left); x <= left+plotWidth; x++ {
		come, _ := slices.BinarySearch(ages, math.Nextafter(ageAt(x), math.Inf(1)))
		y := up(float64(come) / c.Sent)
		switch {
		case come > 0 && b.Len() == 0:
			fmt.Fprintf(&b, "M%s %sV%s", px(x), px(drawn), px(y))
		case math.Abs(y-drawn) >= 0.5:
			fmt.Fprintf(&b, "H%sV%s", px(x), px(y))
		default:
			continue
		}
		drawn = y
	}
	if b.Len() > 0 {
		fmt.Fprintf(&b, "H%d", left+plotWidth)
	}
	return b.String()
}

// across and ageAt are the horizontal axis, up is the vertical one.
func across(age float64) float64 {
	return left + plotWidth*math.Log(age/youngest)/math.Log(oldest/youngest)
}

func ageAt(x float64) float64 { return youngest * math.Pow(oldest/youngest, (x-left)/plotWidth) }

func up(share float64) float64 {
	missing := max(1-share, math.Pow(10, -nines))
	return above + plotHeight*(1+math.Log10(missing)/nines)
}

func text(b *bytes.Buffer, x, y int, class, what string) {
	fmt.Fprintf(b, `<text class="%s" x="%d" y="%d">%s</text>`+"\n", class, x, y, html.EscapeString(what))
}

func middle(b *bytes.Buffer, x float64, y int, what string) {
	fmt.Fprintf(b, `<text class="tick" text-anchor="middle" x="%s" y="%d">%s</text>`, px(x), y, html.EscapeString(what))
}

func px(v float64) string { return strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64) }
