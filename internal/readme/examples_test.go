package readme_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The documentation of each package that others import names examples to copy, and they are there.
func TestEveryPackageNamesExamples(t *testing.T) {
	t.Parallel()
	named := regexp.MustCompile(`\bexamples/[a-z/]*[a-z]`)
	packages := 0
	for _, file := range sources(t) {
		first, _, _ := strings.Cut(file, "/")
		text := read(t, file)
		switch first {
		case "bench", "examples", "internal", "tools":
			continue
		}
		if file == "sip/phonetest/doc.go" || filepath.Base(file) != "doc.go" || strings.Contains(text, "\npackage main\n") {
			continue
		}
		packages++
		_, text, found := strings.Cut(text, "\n// # Examples\n")
		names := named.FindAllString(text, -1)
		if !found || len(names) == 0 {
			t.Errorf("%s: it names no example", file)
		}
		for _, name := range names {
			if info, err := os.Stat(filepath.Join(root, name)); err != nil || !info.IsDir() {
				t.Errorf("%s: there is no %s", file, name)
			}
		}
	}
	if packages < 15 {
		t.Errorf("%d packages, want all", packages)
	}
}
