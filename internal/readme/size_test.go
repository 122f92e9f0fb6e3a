package readme_test

import (
	"io/fs"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// sources returns the Go files of the repository that are no tests.
func sources(t *testing.T) (names []string) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if d != nil && d.IsDir() && (d.Name() == ".git" || d.Name() == "node_modules" || d.Name() == "testdata") {
			return filepath.SkipDir
		}
		if err == nil && filepath.Ext(path) == ".go" && !strings.HasSuffix(path, "_test.go") {
			name, relErr := filepath.Rel(root, path)
			names, err = append(names, filepath.ToSlash(name)), relErr
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// The programs of internal are at most half as long as the engine that they prove, and so is the table
// of mutants: in lines that are neither blank nor comments. docs/proof.md says why there are two halves.
func TestWhatProvesIsShorterThanWhatItProves(t *testing.T) {
	t.Parallel()
	code := regexp.MustCompile(`(?m)^[ \t]*[^ \t\n/]|^[ \t]*/[^/]`)
	var programs, table, engine int
	for _, file := range sources(t) {
		n := len(code.FindAllString(read(t, file), -1))
		dir, _, _ := strings.Cut(file, "/")
		switch {
		case strings.HasPrefix(file, "internal/mutants/table_"):
			table += n
		case dir == "internal":
			programs += n
		case strings.HasPrefix(file, "queue/queuetest/"): // it proves too
		case dir == "tone", dir == "operation", dir == "queue":
			engine += n
		}
	}
	t.Logf("programs %d, table %d; engine %d", programs, table, engine)
	if programs == 0 || table == 0 || max(programs, table) > engine/2 {
		t.Errorf("%d lines of programs, %d of the table, want at most half of the engine's %d", programs, table, engine)
	}
}
