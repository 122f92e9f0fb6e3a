package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// mutant is one patch with its header.
type mutant struct {
	name string // of the file
	path string // absolute

	what    string   // what is broken
	rule    string   // what it breaks: G1 to G16, or a rule of the design
	race    bool     // the race detector is what notices
	pkg     string   // of the test
	test    string   // that must fail
	touched []string // files, from the root
}

// judged reports whether the test is one whose failure names what was violated: it must be the rule
// that the mutant breaks, if that is a guarantee.
func (m *mutant) judged() bool {
	return strings.HasPrefix(m.rule, "G") &&
		slices.Contains([]string{"TestSimulation", "TestStress", "TestSoak"}, m.test)
}

// load reads the patches of a folder.
func load(folder string) ([]mutant, error) {
	paths, err := filepath.Glob(filepath.Join(folder, "*.patch"))
	if err != nil {
		return nil, err
	}
	all := make([]mutant, 0, len(paths))
	for _, path := range paths {
		m, err := read(path)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", filepath.Base(path), err)
		}
		all = append(all, m)
	}
	return all, nil
}

func read(path string) (mutant, error) {
	m := mutant{name: strings.TrimSuffix(filepath.Base(path), ".patch")}
	var err error
	if m.path, err = filepath.Abs(path); err != nil {
		return m, err
	}
	f, err := os.Open(path)
	if err != nil {
		return m, err
	}
	defer f.Close() //nolint:errcheck // it was only read
	for lines := bufio.NewScanner(f); lines.Scan(); {
		m.take(lines.Text())
	}
	switch {
	case m.what == "", m.rule == "":
		return m, errors.New("the header lacks what or rule")
	case m.pkg == "", !strings.HasPrefix(m.test, "Test"):
		return m, errors.New("the header's kill must be a package and a test")
	case len(m.touched) == 0:
		return m, errors.New("it changes no file")
	}
	return m, nil
}

func (m *mutant) take(line string) {
	if name, ok := strings.CutPrefix(line, "+++ b/"); ok {
		m.touched = append(m.touched, name)
		return
	}
	if len(m.touched) > 0 {
		return // the header is over
	}
	key, value, _ := strings.Cut(line, ": ")
	switch key {
	case "what":
		m.what = value
	case "rule":
		m.rule = value
	case "kill":
		value, m.race = strings.CutPrefix(value, "-race ")
		m.pkg, m.test, _ = strings.Cut(value, " ")
	}
}
