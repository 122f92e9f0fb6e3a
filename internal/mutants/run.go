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

// turns are what a test gets to kill a mutant, besides twice the time that it takes without one. In
// its first run it may hang: it has noticed. One that looks into an instant of another goroutine's
// needs luck, the more the busier the machine is, so a mutant that survived gets a longer turn, in
// which a hang is none of its doing.
var turns = []struct {
	count   int
	timeout time.Duration
}{{1, 20 * time.Second}, {20, 10 * time.Minute}}

// ran matches what go test prints of a test binary that has run, and failed.
var ran = regexp.MustCompile(`(?m)^FAIL\tivrqueue\S*\t[0-9.]+s`)

// passed matches what go test says of a test that has passed, and how long it took.
var passed = regexp.MustCompile(`(?m)^--- PASS: (\S+) \(([0-9.]+s)\)$`)

// timed returns how long a test took, by what go test says of its package.
func timed(test, said string) (time.Duration, error) {
	for _, of := range passed.FindAllStringSubmatch(said, -1) {
		if of[1] == test {
			return time.ParseDuration(of[2])
		}
	}
	return 0, fmt.Errorf("go test does not say how long %s took:\n%s", test, said)
}

// green runs all the tests once on the tree as it is, and returns how long each took, by what kills
// a mutant: one that is red anyway, or takes longer than a mutant has, kills every one.
func green(
	ctx context.Context, all []mutant, root string,
) (took map[string]time.Duration, err error) {
	took = map[string]time.Duration{}
	together := map[string][]mutant{} // by their packages, and whether with the race detector
	for _, m := range all {
		if _, seen := took[m.kill]; !seen {
			took[m.kill] = 0
			of := strings.TrimSuffix(m.kill, m.test())
			together[of] = append(together[of], m)
		}
	}
	for _, of := range together {
		names := make([]string, len(of))
		for i := range of {
			names[i] = of[i].test()
		}
		test := exec.CommandContext(ctx, "go", "test", "-count=1", "-v", //nolint:gosec // ours
			"-race="+strconv.FormatBool(of[0].race()), "-run", "^("+strings.Join(names, "|")+")$",
			of[0].pkg())
		test.Dir = root
		out, err := test.CombinedOutput()
		if err != nil {
			return nil, fmt.Errorf("%s is red without a mutant: %w\n%s", of[0].pkg(), err, out)
		}
		for i := range of {
			if took[of[i].kill], err = timed(of[i].test(), string(out)); err != nil {
				return nil, err
			}
		}
	}
	return took, nil
}

// try runs the test of a mutant on the tree at root; without a mutant it took so long.
func (m *mutant) try(ctx context.Context, root string, took time.Duration) (v verdict) {
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
		timeout := turn.timeout + 2*time.Duration(turn.count)*took
		v = m.run(ctx, root, overlay, turn.count, timeout)
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
func (m *mutant) run(
	ctx context.Context, root, overlay string, count int, timeout time.Duration,
) verdict {
	test := exec.CommandContext(ctx, "go", "test", //nolint:gosec // ours
		"-overlay", overlay, "-vet=off", "-count="+strconv.Itoa(count), "-failfast",
		"-timeout", timeout.String(),
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
		return verdict{note: "its test took longer than " + timeout.String()}
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
