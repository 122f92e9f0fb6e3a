package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const root = "../.."

func patches(t *testing.T) []mutant {
	t.Helper()
	all, err := load("patches")
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestTheDocumentListsTheMutants(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(root, document))
	if err != nil {
		t.Fatal(err)
	}
	if listed, err := insert(string(text), patches(t)); err != nil || listed != string(text) {
		t.Errorf("%s is not up to date (%v): run make generate", document, err)
	}
}

// The names of the tests that must fail are names of tests.
func TestEveryMutantNamesATest(t *testing.T) {
	t.Parallel()
	for _, m := range patches(t) {
		files, err := filepath.Glob(filepath.Join(root, m.pkg, "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(files, func(name string) bool {
			text, err := os.ReadFile(name)
			return err == nil && strings.Contains(string(text), "\nfunc "+m.test+"(")
		}) {
			t.Errorf("%s: %s has no %s", m.name, m.pkg, m.test)
		}
	}
}

// What decides when an operation starts, who is told, and what a cancel or a close ends is where
// a queue goes wrong.
func TestThereAreMutantsWhereItMatters(t *testing.T) {
	t.Parallel()
	all := patches(t)
	heart := 0
	for _, m := range all {
		if slices.ContainsFunc(m.touched, regexp.MustCompile(`^queue/(slot|deliver|cancel|close)\.go$`).MatchString) {
			heart++
		}
	}
	if len(all) < 25 || heart < 15 {
		t.Errorf("%d mutants, %d of them in start, deliver, cancel and close; want 25 and 15", len(all), heart)
	}
}

// The checker of traces has a rule for each guarantee from G1 to G14, and each has caught a mutant.
func TestTheSimulationCatchesAMutantOfEachGuarantee(t *testing.T) {
	t.Parallel()
	all := patches(t)
	for n := 1; n <= 14; n++ {
		rule := fmt.Sprintf("G%d", n)
		if !slices.ContainsFunc(all, func(m mutant) bool { return m.rule == rule && m.judged() }) {
			t.Errorf("no mutant of %s is killed by the simulation", rule)
		}
	}
}

func TestAPatchWithoutAHeaderIsRefused(t *testing.T) {
	t.Parallel()
	const diff = "--- a/queue/slot.go\n+++ b/queue/slot.go\n@@ -1 +1 @@\n-a\n+b\n"
	for want, text := range map[string]string{
		"what or rule":       "kill: ./queue TestX\n" + diff,
		"package and a test": "what: x\nrule: G1\nkill: TestX\n" + diff,
		"changes no file":    "what: x\nrule: G1\nkill: ./queue TestX\n",
	} {
		path := filepath.Join(t.TempDir(), "x.patch")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := read(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %q", err, want)
		}
	}
}
