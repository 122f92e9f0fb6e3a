package readme_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The pages on security name tests that are there, fuzz targets too, and limits that are exported.
func TestTheSecurityPagesNameWhatExists(t *testing.T) {
	t.Parallel()
	declared := map[string]bool{} // TestX, FuzzX, package.Name
	test := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
	exported := regexp.MustCompile(`(?m)^(?:func |type |\t|const |var )([A-Z]\w+)(?:\(| )`)
	err := filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") {
			return err
		}
		text, err := os.ReadFile(path)
		if strings.HasSuffix(path, "_test.go") {
			for _, m := range test.FindAllSubmatch(text, -1) {
				declared[string(m[1])] = true
			}
			return err
		}
		for _, m := range exported.FindAllSubmatch(text, -1) {
			declared[filepath.Base(filepath.Dir(path))+"."+string(m[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	pages, err := filepath.Glob(filepath.Join(root, "docs", "security*.md"))
	if err != nil || len(pages) == 0 {
		t.Fatalf("no page: %v", err)
	}
	named := regexp.MustCompile("`((?:Test|Fuzz)\\w+|(?:graph|queue|operation|tone|service)\\.[A-Z]\\w+)`")
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		names := named.FindAllSubmatch(text, -1)
		if len(names) < 10 {
			t.Errorf("%s names %d things", page, len(names))
		}
		for _, m := range names {
			if !declared[string(m[1])] {
				t.Errorf("%s names %s, which is not there", page, m[1])
			}
		}
	}
}
