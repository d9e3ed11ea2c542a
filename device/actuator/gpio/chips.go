package gpio

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// chip is what is known of one of /dev/gpiochip*.
type chip struct {
	path, name, label string
	lines             []line
}

type line struct{ name, user string }

// most bounds how many names an error lists.
const most = 12

// locate is the line of a name: its own, or CHIP/NUMBER.
func locate(chips []chip, name string) (c chip, number int, err error) {
	found := 0
	for _, one := range chips {
		for i, l := range one.lines {
			if l.name == name {
				c, number = one, i
				found++
			}
		}
	}
	if found == 1 {
		return c, number, nil
	}
	if found > 1 {
		return c, 0, fmt.Errorf("%d lines are called %.32q: want CHIP/NUMBER; %s", found, name, chipNames(chips))
	}
	of, text, _ := strings.Cut(name, "/")
	i := slices.IndexFunc(chips, func(c chip) bool { return c.name == of || c.label == of })
	n, err := strconv.ParseUint(text, 10, 16)
	switch {
	case i >= 0 && err == nil && int(n) < len(chips[i].lines):
		return chips[i], int(n), nil
	case i >= 0:
		return c, 0, fmt.Errorf("there is no line %.32q: %s", name, chipNames(chips[i:i+1]))
	}
	return c, 0, fmt.Errorf("there is no line %.32q: %s; %s", name, lineNames(chips), chipNames(chips))
}

// lineNames says which names there are.
func lineNames(chips []chip) string {
	var names []string
	for _, c := range chips {
		for _, l := range c.lines {
			if l.name != "" {
				names = append(names, l.name)
			}
		}
	}
	if len(names) == 0 {
		return "no line has a name here, want CHIP/NUMBER"
	}
	return "there are " + listed(names)
}

func chipNames(chips []chip) string {
	var names []string
	for _, c := range chips {
		names = append(names, fmt.Sprintf("%s/0 to %d (%s)", c.name, len(c.lines)-1, c.label))
	}
	return "by number there are " + listed(names)
}

func listed(names []string) string {
	more := ""
	if len(names) > most {
		more = fmt.Sprintf(" and %d more", len(names)-most)
		names = names[:most]
	}
	return strings.Join(names, ", ") + more
}
