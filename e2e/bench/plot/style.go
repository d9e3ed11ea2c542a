package plot

import (
	"fmt"
	"strings"
)

// Hue is a colour that is told from the others on white and on black.
type Hue int

// The colours there are.
const (
	Grey Hue = iota
	Orange
	Red
	Green
	Blue
	Purple
)

// Dash is how a line is broken: what has the same colour is told apart without one.
type Dash int

// The lines there are.
const (
	Solid Dash = iota
	Dashed
	Dotted
)

// hues are a colour's name, and what it is on a light and on a dark page.
var hues = []struct{ class, light, dark string }{
	Grey:   {"grey", "#57606a", "#b1bac4"},
	Orange: {"orange", "#bc4c00", "#f0883e"},
	Red:    {"red", "#a40e26", "#ff7b72"},
	Green:  {"green", "#1a7f37", "#56d364"},
	Blue:   {"blue", "#0550ae", "#79c0ff"},
	Purple: {"purple", "#8250df", "#d2a8ff"},
}

var dashes = []struct{ class, array string }{
	Solid:  {"solid", "none"},
	Dashed: {"dashed", "7 4"},
	Dotted: {"dotted", "2 3"},
}

func (s Style) class() string {
	weight := "thin"
	if s.Bold {
		weight = "bold"
	}
	return strings.Join([]string{"curve", hues[s.Hue].class, dashes[s.Dash].class, weight}, " ")
}

// stylesheet has a page that is read as light as it stands, and its dark twin.
func stylesheet() string {
	var light, dark strings.Builder
	light.WriteString(".paper{fill:#ffffff}text{fill:#1f2328}.note,.tick{fill:#57606a}.grid{stroke:#d8dee4}.mark{stroke:#1f2328}")
	dark.WriteString(".paper{fill:#0d1117}text{fill:#e6edf3}.note,.tick{fill:#9198a1}.grid{stroke:#30363d}.mark{stroke:#e6edf3}")
	for _, hue := range hues {
		fmt.Fprintf(&light, ".%s{stroke:%s}", hue.class, hue.light)
		fmt.Fprintf(&dark, ".%s{stroke:%s}", hue.class, hue.dark)
	}
	for _, dash := range dashes {
		fmt.Fprintf(&light, ".%s{stroke-dasharray:%s}", dash.class, dash.array)
	}
	return "path{fill:none}.title{font-size:18px;font-weight:600}.name{font-size:14px;font-weight:600}.tick{font-size:11px}" +
		".curve{stroke-linejoin:round}.thin{stroke-width:1.5}.bold{stroke-width:2.6}.mark{stroke-dasharray:1 3}" +
		light.String() + "@media (prefers-color-scheme:dark){" + dark.String() + "}"
}
