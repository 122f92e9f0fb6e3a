package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
)

// document is where the table of mutants stands, between two markers.
const (
	document = "docs/proof.md"
	begin    = "<!-- mutants:begin -->\n"
	end      = "<!-- mutants:end -->\n"
)

// write writes the table of all mutants into the document.
func write(all []mutant, document string) error {
	text, err := os.ReadFile(document) //nolint:gosec // ours
	if err != nil {
		return err
	}
	listed, err := insert(string(text), all)
	if err != nil {
		return fmt.Errorf("%s: %w", document, err)
	}
	return os.WriteFile(document, []byte(listed), 0o644) //nolint:gosec // a document
}

// insert puts the table between the markers.
func insert(text string, all []mutant) (string, error) {
	before, rest, found := strings.Cut(text, begin)
	_, after, foundEnd := strings.Cut(rest, end)
	if !found || !foundEnd {
		return "", errors.New("it has no markers for the table of mutants")
	}
	return before + begin + markdown(all) + end + after, nil
}

// markdown is the table for people.
func markdown(all []mutant) string {
	var b strings.Builder
	b.WriteString("| mutant | guarantee or rule | killed by |\n|---|---|---|\n")
	for _, m := range all {
		fmt.Fprintf(&b, "| %s | %s | `%s` |\n", m.what, m.rule, m.test())
	}
	return b.String()
}
