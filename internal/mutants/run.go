package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// verdict is what became of a mutant.
type verdict struct {
	killed bool
	note   string // why it was not, or how if it was in an uncommon way
	took   time.Duration
}

// turns are what a test gets to kill a mutant. In its first run it may hang: it has noticed. One
// that looks into an instant of another goroutine's needs luck, the more the busier the machine is,
// so a mutant that survived gets a longer turn, in which a hang is none of its doing.
var turns = []struct{ count, timeout string }{{"1", "20s"}, {"20", "10m"}}

// ran matches what go test prints of a test binary that has run, and failed.
var ran = regexp.MustCompile(`(?m)^FAIL\tivrqueue\S*\t[0-9.]+s`)

// green runs all the tests once on the tree as it is: one that is red anyway kills every mutant.
func green(ctx context.Context, all []mutant, root string) error {
	type binary struct {
		pkg  string
		race bool
	}
	tests := map[binary][]string{}
	for _, m := range all {
		of := binary{m.pkg(), m.race()}
		if !slices.Contains(tests[of], m.test()) {
			tests[of] = append(tests[of], m.test())
		}
	}
	for of, names := range tests {
		test := exec.CommandContext(ctx, "go", "test", "-count=1", //nolint:gosec // ours
			"-race="+strconv.FormatBool(of.race), "-run", "^("+strings.Join(names, "|")+")$", of.pkg)
		test.Dir = root
		if out, err := test.CombinedOutput(); err != nil {
			return fmt.Errorf("%s is red without a mutant: %w\n%s", of.pkg, err, out)
		}
	}
	return nil
}

// try runs the test of a mutant on the tree at root.
func (m *mutant) try(ctx context.Context, root string) (v verdict) {
	start := time.Now()
	defer func() { v.took = time.Since(start) }()
	dir, err := os.MkdirTemp("", "mutant-")
	if err != nil {
		return verdict{note: err.Error()}
	}
	defer os.RemoveAll(dir) //nolint:errcheck // the system cleans up what is left there
	overlay, err := m.overlay(root, dir)
	if err != nil {
		return verdict{note: err.Error()}
	}
	for i, turn := range turns {
		v = m.run(ctx, root, overlay, turn.count, turn.timeout)
		if i > 0 && v.killed {
			v.note = "in a longer turn"
		}
		if v.note != unnoticed {
			break
		}
	}
	return v
}

const unnoticed = "it survived"

// run runs the test so many times, or until it fails.
func (m *mutant) run(ctx context.Context, root, overlay, count, timeout string) verdict {
	test := exec.CommandContext(ctx, "go", "test", //nolint:gosec // ours
		"-overlay", overlay, "-vet=off", "-count="+count, "-failfast", "-timeout", timeout,
		"-race="+strconv.FormatBool(m.race()), "-run", "^"+m.test()+"$", m.pkg())
	test.Dir = root
	test.Env = append(os.Environ(), "SIM_MORE=1") // another seed may name the guarantee
	out, err := test.CombinedOutput()
	text := string(out)
	var exit *exec.ExitError
	hung := strings.Contains(text, "panic: test timed out")
	switch {
	case ctx.Err() != nil:
		return verdict{note: "interrupted"}
	case err == nil && strings.Contains(text, "no tests to run"):
		return verdict{note: "there is no such test"}
	case err == nil:
		return verdict{note: unnoticed}
	case !errors.As(err, &exit):
		return verdict{note: err.Error()}
	case !ran.MatchString(text):
		return verdict{note: "its test did not run:\n" + text}
	case m.judged() && !strings.Contains(text, m.rule+": "):
		return verdict{note: "it was, for another reason:\n" + text}
	case hung && count != turns[0].count:
		return verdict{note: "its test took longer than " + timeout}
	case hung:
		return verdict{killed: true, note: "its test hung"}
	}
	return verdict{killed: true}
}

// overlay writes the files that the mutant changes into dir, and the overlay that puts them in
// place of those in the tree, and nothing in place of test files that its test does not need.
func (m *mutant) overlay(root, dir string) (overlay string, err error) {
	texts, err := m.texts(root)
	if err != nil {
		return "", err
	}
	replace := map[string]string{}
	for name, text := range texts {
		copied := filepath.Join(dir, strings.ReplaceAll(name, "/", "-"))
		if err := os.WriteFile(copied, []byte(text), 0o600); err != nil {
			return "", err
		}
		replace[filepath.Join(root, name)] = copied
	}
	others, err := unneeded(filepath.Join(root, m.pkg()), m.test())
	if err != nil {
		return "", err
	}
	for _, path := range others {
		replace[path] = ""
	}
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	overlay = filepath.Join(dir, "overlay.json")
	return overlay, os.WriteFile(overlay, text, 0o600)
}
