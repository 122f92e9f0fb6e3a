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

// patience is how long a test may run; one that hangs with a mutant has noticed it.
const patience = "20s"

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
	overlay, err := m.apply(root, dir)
	if err != nil {
		return verdict{note: err.Error()}
	}
	tries, patience := "-count=1", patience
	if m.chance {
		tries, patience = "-count=20", "2m"
	}
	test := exec.CommandContext(ctx, "go", "test", //nolint:gosec // ours
		"-overlay", overlay, "-vet=off", tries, "-failfast",
		"-race="+strconv.FormatBool(m.race()), "-timeout", patience, "-run", "^"+m.test()+"$", m.pkg())
	test.Dir = root
	test.Env = append(os.Environ(), "SIM_MORE=1") // another seed may name the guarantee
	out, err := test.CombinedOutput()
	text := string(out)
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return verdict{note: "interrupted"}
	case err == nil && strings.Contains(text, "no tests to run"):
		return verdict{note: "there is no such test"}
	case err == nil:
		return verdict{note: "it survived"}
	case !errors.As(err, &exit):
		return verdict{note: err.Error()}
	case !ran.MatchString(text):
		return verdict{note: "its test did not run:\n" + text}
	case m.judged() && !strings.Contains(text, m.rule+": "):
		return verdict{note: "it was, for another reason:\n" + text}
	case strings.Contains(text, "panic: test timed out"):
		return verdict{killed: true, note: "its test hung"}
	}
	return verdict{killed: true}
}

// apply writes the files that the mutant changes into dir, and the overlay that names them.
func (m *mutant) apply(root, dir string) (overlay string, err error) {
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
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	overlay = filepath.Join(dir, "overlay.json")
	return overlay, os.WriteFile(overlay, text, 0o600)
}
