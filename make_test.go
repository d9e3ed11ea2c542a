package telepath_test

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// Bare make lists every target that says what it does.
func TestMakeListsItsTargets(t *testing.T) {
	makefile, err := os.ReadFile("Makefile")
	if err != nil {
		t.Fatal(err)
	}
	list, err := exec.Command("make", "help").CombinedOutput()
	if err != nil {
		t.Skipf("no make: %v", err)
	}
	for _, target := range regexp.MustCompile(`(?m)^([^\s:#]+):.* ## `).FindAllStringSubmatch(string(makefile), -1) {
		if !strings.Contains(string(list), "  make "+target[1]+" ") {
			t.Errorf("make %s is not listed", target[1])
		}
	}
}
