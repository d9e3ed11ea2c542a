package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAnswers(t *testing.T) {
	asked := []input{{At: 0, Value: -1}, {At: 60, Value: 0}, {At: 120, Value: 1}, {At: 180, Value: 0}, {At: 240, Value: -1}}
	for _, c := range []struct {
		name string
		set  []setting
		want []float64
	}{
		{"each", []setting{{4, -1}, {65, 0}, {126, 1}, {187, 0}, {248, -1}}, []float64{4, 65, 126, 187, 248}},
		{"a newer one took its place", []setting{{4, -1}, {125, 1}, {186, 0}, {247, -1}}, []float64{4, 0, 125, 186, 247}},
		{"what was set before", []setting{{-5, -1}, {65, 0}}, []float64{0, 65, 0, 0, 0}},
		{"late, and still before the next but one", []setting{{110, -1}, {111, 0}}, []float64{110, 111, 0, 0, 0}},
		{"another value", []setting{{4, -0.9}, {65, 0.0004}}, []float64{0, 65, 0, 0, 0}},
		{"nothing", nil, []float64{0, 0, 0, 0, 0}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, answers(asked, c.set)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAmidPast(t *testing.T) {
	for _, c := range []struct {
		name string
		past []int
		want []bool
	}{
		{"it never came", []int{5, 5, 5}, []bool{false, false, false}},
		{"it began and came to its end", []int{5, 5, 6, 6, 9, 9}, []bool{false, true, true, true, false, false}},
		{"all the time", []int{5, 6, 7}, []bool{true, true, false}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var all []input
			for _, past := range c.past {
				all = append(all, input{Past: past})
			}
			var got []bool
			for i := range all {
				got = append(got, amidPast(all, i))
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
