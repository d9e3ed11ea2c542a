package settings

import "sort"

// DidYouMean is `: did you mean "word"?` for the known word that is nearest to
// a mistyped one, or nothing if none is near.
func DidYouMean(word string, known map[string]bool) string {
	names := make([]string, 0, len(known))
	for name, offer := range known {
		if offer {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	best, least := "", 1+len(word)/3 // a third of the letters may be wrong
	for _, name := range names {
		if d := distance(word, name); d <= least {
			best, least = name, d-1
		}
	}
	if best == "" {
		return ""
	}
	return ": did you mean " + `"` + best + `"?`
}

// distance counts the letters to insert, delete or replace between a and b (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
