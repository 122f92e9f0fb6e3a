package readme_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"
)

var (
	fenced   = regexp.MustCompile("(?ms)^ *```.*?^ *```")
	spans    = regexp.MustCompile("`[^`\n]*`")
	links    = regexp.MustCompile(`\]\(([^)\s]+)[^)]*\)`)
	headings = regexp.MustCompile(`(?m)^#+ +(.*)$`)
)

// pages returns the names of all pages of the repository.
func pages(t *testing.T) (names []string) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if d != nil && d.IsDir() && (d.Name() == ".git" || d.Name() == "node_modules" || d.Name() == "testdata") {
			return filepath.SkipDir
		}
		if err == nil && filepath.Ext(path) == ".md" {
			names = append(names, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// anchors returns the names that a page's headings can be linked by, as GitHub makes them.
func anchors(text string) map[string]bool {
	names := map[string]bool{}
	for _, h := range headings.FindAllStringSubmatch(fenced.ReplaceAllString(text, ""), -1) {
		names[strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
				return unicode.ToLower(r)
			}
			return -1
		}, h[1])] = true
	}
	return names
}

// Each link between the pages leads to a file, and to a heading of it.
func TestEveryLinkLeadsSomewhere(t *testing.T) {
	t.Parallel()
	n := 0
	for _, page := range pages(t) {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		prose := spans.ReplaceAllString(fenced.ReplaceAllString(string(text), ""), "`x`")
		for _, m := range links.FindAllStringSubmatch(prose, -1) {
			to, anchor, _ := strings.Cut(m[1], "#")
			if strings.Contains(to, "://") || strings.HasPrefix(to, "mailto:") {
				continue
			}
			n++
			target := page
			if to != "" {
				target = filepath.Join(filepath.Dir(page), to)
			}
			info, err := os.Stat(target)
			if err != nil {
				t.Errorf("%s: %s: no such file", page, m[1])
				continue
			}
			if anchor == "" || info.IsDir() {
				continue
			}
			there, err := os.ReadFile(target)
			if err != nil {
				t.Fatal(err)
			}
			if filepath.Ext(target) == ".md" && !anchors(string(there))[anchor] {
				t.Errorf("%s: %s: no such heading", page, m[1])
			}
		}
	}
	if n < 50 {
		t.Errorf("%d links were found, want all", n)
	}
}

// Each page of docs is in the index, and says for whom it is.
func TestTheIndexHasEveryPage(t *testing.T) {
	t.Parallel()
	index := read(t, "docs/README.md")
	for _, page := range pages(t) {
		name, err := filepath.Rel(filepath.Join(root, "docs"), page)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(name, "..") || name == "README.md" {
			continue
		}
		if !strings.Contains(index, "("+name+")") {
			t.Errorf("docs/README.md does not have %s", name)
		}
		if !strings.Contains(read(t, filepath.Join("docs", name)), "\n*For ") {
			t.Errorf("docs/%s does not say for whom it is", name)
		}
	}
}
