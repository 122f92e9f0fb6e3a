package readme_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const root = "../.."

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestTheSampleIsTheExampleOfPackageQueue(t *testing.T) {
	t.Parallel()
	_, sample, _ := strings.Cut(read(t, "README.md"), "<!-- sample:begin -->\n```go\n")
	sample, _, found := strings.Cut(sample, "```\n<!-- sample:end -->")
	if !found || sample == "" {
		t.Fatal("the README has no sample between its markers")
	}
	imports, body, _ := strings.Cut(read(t, "queue/example_test.go"), "func Example() {\n")
	body, _, _ = strings.Cut(body, "\t// Output:")
	program := strings.Replace(imports, "package queue_test", "package main", 1) + "func main() {\n" + body + "}\n"
	if sample != program {
		t.Errorf("the sample is\n%s\nthe example is\n%s", sample, program)
	}
}

func TestEveryGuaranteeNamesTestsAndLanesThatExist(t *testing.T) {
	t.Parallel()
	tests := map[string]bool{}
	declared := regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	err := filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, "_test.go") {
			text, readErr := os.ReadFile(path)
			for _, m := range declared.FindAllSubmatch(text, -1) {
				tests[string(m[1])] = true
			}
			return readErr
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	targets := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^([a-z]+):.*##`).FindAllStringSubmatch(read(t, "Makefile"), -1) {
		targets[m[1]] = true
	}
	rows := regexp.MustCompile(`(?m)^\| (G\d+) \|.*\|(.*)\|(.*)\|$`).FindAllStringSubmatch(read(t, "docs/proof.md"), -1)
	if len(rows) != 16 {
		t.Errorf("%d guarantees, want 16", len(rows))
	}
	for _, row := range rows {
		names := regexp.MustCompile("`(Test\\w+)`").FindAllStringSubmatch(row[2], -1)
		if len(names) == 0 {
			t.Errorf("%s names no test", row[1])
		}
		for _, name := range names {
			if !tests[name[1]] {
				t.Errorf("%s names %s, which is not there", row[1], name[1])
			}
		}
		for suite := range strings.SplitSeq(row[3], ",") {
			if suite = strings.TrimSpace(suite); !targets[suite] {
				t.Errorf("%s names the suite %q, which is no make target", row[1], suite)
			}
		}
	}
}

func TestTheReadmeIsForAPersonInAHurry(t *testing.T) {
	t.Parallel()
	if n := strings.Count(read(t, "README.md"), "\n"); n > 150 {
		t.Errorf("%d lines, want at most 150", n)
	}
}
