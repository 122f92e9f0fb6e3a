package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// mutant is one small break of the engine: a row of the table.
type mutant struct {
	name  string
	what  string // is broken, in a sentence
	rule  string // that it breaks: G1 to G16, or a rule of the design
	kill  string // the test that must fail: "./package TestName", after "-race " if only that notices
	edits []edit // that break it
}

// edit replaces a text that a file has exactly once.
type edit struct{ file, old, new string }

// table is all mutants.
func table() []mutant {
	return slices.Concat(
		ofOperation, ofTone, ofMachine, ofLog, ofAnswers, ofShell, ofGroup, ofDispatcher, ofTimeouts,
		ofOptional, ofOwed, ofCluster, ofWire,
	)
}

// race reports whether the race detector is what notices.
func (m *mutant) race() bool { return strings.HasPrefix(m.kill, "-race ") }

// pkg is the package of the test.
func (m *mutant) pkg() string {
	pkg, _, _ := strings.Cut(strings.TrimPrefix(m.kill, "-race "), " ")
	return pkg
}

// test is the name of the test.
func (m *mutant) test() string { return m.kill[strings.LastIndexByte(m.kill, ' ')+1:] }

// judged reports whether the test is one whose failure names what was violated: it must be the rule
// that the mutant breaks, if that is a guarantee.
func (m *mutant) judged() bool {
	return strings.HasPrefix(m.rule, "G") && m.test() == "TestSimulation"
}

// texts returns the files that the mutant changes, as it leaves them.
func (m *mutant) texts(root string) (map[string]string, error) {
	texts := map[string]string{}
	for _, e := range m.edits {
		text, ok := texts[e.file]
		if !ok {
			read, err := os.ReadFile(filepath.Join(root, e.file))
			if err != nil {
				return nil, err
			}
			text = string(read)
		}
		if n := strings.Count(text, e.old); n != 1 {
			return nil, fmt.Errorf(
				"it does not apply: its text is in %s %d times, and must be there once: adapt its row: %s",
				e.file, n, e.old)
		}
		texts[e.file] = strings.Replace(text, e.old, e.new, 1)
	}
	return texts, nil
}
