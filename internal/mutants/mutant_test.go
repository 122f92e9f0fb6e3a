package main

import (
	"fmt"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"ivrqueue/internal/leak"
)

func TestMain(m *testing.M) { leak.Verify(m) }

const root = "../.."

// Every row is complete, has a name of its own, applies to the tree, and leaves Go behind.
func TestEveryMutantApplies(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for _, m := range table() {
		if names[m.name] {
			t.Errorf("%s is there twice", m.name)
		}
		names[m.name] = true
		if m.name == "" || m.what == "" || m.rule == "" || len(m.edits) == 0 {
			t.Errorf("%s: its name, what, rule and edits must not be empty", m.name)
		}
		texts, err := m.texts(root)
		if err != nil {
			t.Errorf("%s: %v", m.name, err)
		}
		for file, text := range texts {
			if _, err := parser.ParseFile(token.NewFileSet(), file, text, parser.SkipObjectResolution); err != nil {
				t.Errorf("%s: it leaves no Go behind: %v", m.name, err)
			}
		}
	}
}

func TestATextThatIsNotThereOnceIsRefused(t *testing.T) {
	t.Parallel()
	for old, want := range map[string]string{"there is no such text": "0 times", "package": "times"} {
		m := mutant{edits: []edit{{"queue/doc.go", old, ""}}}
		if _, err := m.texts(root); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want an error with %q", old, err, want)
		}
	}
}

func TestTheDocumentListsTheMutants(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(root, document))
	if err != nil {
		t.Fatal(err)
	}
	if listed, err := insert(string(text), table()); err != nil || listed != string(text) {
		t.Errorf("%s is not up to date (%v): run make generate", document, err)
	}
}

// A mutant's test has time by what it takes without one: a slow test that is cut off kills nothing.
func TestHowLongATestTakesIsRead(t *testing.T) {
	t.Parallel()
	const said = "=== RUN   TestA\n    --- PASS: TestB (7.00s)\n--- PASS: TestAB (9.00s)\n--- PASS: TestA (24.29s)\nPASS\n"
	for test, want := range map[string]time.Duration{"TestA": 24290 * time.Millisecond, "TestB": 0} {
		if got, err := timed(test, said); got != want || (err == nil) != (want > 0) {
			t.Errorf("%s: got %v, %v", test, got, err)
		}
	}
}

// The names of the tests that must fail are names of tests.
func TestEveryMutantNamesATest(t *testing.T) {
	t.Parallel()
	shape := regexp.MustCompile(`^(-race )?\./\S+ Test\S+$`)
	tests := map[string]string{} // by package
	for _, m := range table() {
		if !shape.MatchString(m.kill) {
			t.Errorf("%s: kill is %q, want a package and a test", m.name, m.kill)
			continue
		}
		if tests[m.pkg()] == "" {
			tests[m.pkg()] = testsOf(t, m.pkg())
		}
		if !strings.Contains(tests[m.pkg()], "\nfunc "+m.test()+"(") {
			t.Errorf("%s: %s has no %s", m.name, m.pkg(), m.test())
		}
	}
}

// testsOf returns the text of all tests of a package.
func testsOf(t *testing.T, pkg string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, pkg, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	return all.String()
}

// What decides when an operation starts, who calls, and what a cancel or a close ends is where a queue
// goes wrong.
func TestThereAreMutantsWhereItMatters(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		of   []mutant
		want int
	}{"machine": {ofMachine, 25}, "log": {ofLog, 8}, "dispatcher": {ofDispatcher, 25}, "timeouts": {ofTimeouts, 10}} {
		if len(c.of) < c.want {
			t.Errorf("%d mutants of the %s, want %d", len(c.of), name, c.want)
		}
	}
}

// The checker of traces has a rule for each guarantee from G1 to G14, and each has caught a mutant.
func TestTheSimulationCatchesAMutantOfEachGuarantee(t *testing.T) {
	t.Parallel()
	for n := 1; n <= 14; n++ {
		if n == 2 || n == 6 {
			continue // the first ends the simulation in a deadlock, the second breaks G3 too, and before
		}
		rule := fmt.Sprintf("G%d", n)
		if !slices.ContainsFunc(table(), func(m mutant) bool { return m.rule == rule && m.judged() }) {
			t.Errorf("no mutant of %s is killed by the simulation", rule)
		}
	}
}

// The parts are all, and share none.
func TestPartsAreAll(t *testing.T) {
	t.Parallel()
	all := table()
	for _, parts := range [][]string{{"1/1"}, {"1/2", "2/2"}, {"1/3", "2/3", "3/3"}} {
		seen := map[string]int{}
		for _, part := range parts {
			chosen, err := partOf(all, part)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range chosen {
				seen[m.name]++
			}
		}
		for _, m := range all {
			if seen[m.name] != 1 {
				t.Errorf("%s is in %d of %v", m.name, seen[m.name], parts)
			}
		}
	}
}

func TestAPartThatIsNone(t *testing.T) {
	t.Parallel()
	for _, part := range []string{"", "0/3", "4/3", "-1/3", "1", "1/0", "x/y"} {
		if chosen, err := partOf(table(), part); err == nil {
			t.Errorf("%q: got %d mutants, want an error", part, len(chosen))
		}
	}
}
