package plot

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
)

func TestAxesAreTheirInverse(t *testing.T) {
	for _, age := range ageTicks {
		if back := ageAt(across(age)); math.Abs(back-age) > 1e-6 {
			t.Errorf("%v ms is drawn where %v ms is", age, back)
		}
	}
	if a, b := up(0.9)-up(0.99), up(0.99)-up(0.999); math.Abs(a-b) > 1e-6 {
		t.Errorf("a nine is %v px high, the next one %v px", a, b)
	}
	if up(1) != above || up(0) != above+plotHeight {
		t.Errorf("all is at %v, nothing at %v", up(1), up(0))
	}
}

func TestCurveEndsAtWhatCame(t *testing.T) {
	half := Curve{Ages: []float64{90, 110, 100, 30000}, Sent: 8}.path()
	want := "H" + px(left+plotWidth)
	if !strings.HasSuffix(half, "V"+px(up(3.0/8))+want) {
		t.Errorf("three of eight came by the right edge, the curve is %s", half)
	}
	if !strings.HasPrefix(half, "M") || strings.Count(half, "V") != 3 {
		t.Errorf("three steps wanted: %s", half)
	}
	if empty := (Curve{Sent: 8}).path(); empty != "" {
		t.Errorf("nothing came, and is drawn as %s", empty)
	}
}

func TestPageIsWellFormed(t *testing.T) {
	page := Page{
		Title: "Ages", Note: "a < b & c", Mark: 250,
		Styles: []Style{{Name: "one & two"}, {Name: "absent"}},
		Panels: []Panel{{Title: "50", Curves: map[string]Curve{"one & two": {Ages: []float64{40}, Sent: 1}}}},
	}
	svg := string(page.SVG())
	decoder := xml.NewDecoder(strings.NewReader(svg))
	for {
		if _, err := decoder.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if strings.Contains(svg, "absent") {
		t.Error("what is in no panel is in the legend")
	}
}
