// Command diagram draws the lifecycle of an operation, from the machine that declares it, into the
// document that shows it:
//
//	go run ./internal/diagram
//
// A test fails when what they show is not what the machine says.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/looplab/fsm"

	"ivrqueue/operation"
)

// documents are the files with the drawing, from the root of the repository.
func documents() []string { return []string{"docs/lifecycle.md"} }

const (
	begin = "<!-- lifecycle:begin -->\n"
	end   = "<!-- lifecycle:end -->"
)

func main() {
	for _, name := range documents() {
		if err := redraw(filepath.Join(".", name)); err != nil {
			fmt.Fprintln(os.Stderr, "diagram:", err)
			os.Exit(1)
		}
	}
}

func redraw(name string) error {
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	drawn, err := insert(string(text))
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return os.WriteFile(name, []byte(drawn), 0o644) //nolint:gosec // a document
}

// insert puts the drawing between the markers of a document.
func insert(text string) (string, error) {
	before, rest, found := strings.Cut(text, begin)
	_, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		return "", fmt.Errorf("no %q with a %q after it", strings.TrimSpace(begin), end)
	}
	drawing, err := draw()
	if err != nil {
		return "", err
	}
	return before + begin + drawing + end + after, nil
}

// draw returns the Mermaid state diagram, with its final states marked.
func draw() (string, error) {
	states, err := fsm.VisualizeForMermaidWithGraphType(operation.NewMachine(), fsm.StateDiagram)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	b.WriteString("```mermaid\n")
	b.WriteString(strings.TrimRight(states, "\n"))
	b.WriteByte('\n')
	for _, s := range []operation.Status{operation.Completed, operation.Failed} {
		fmt.Fprintf(&b, "    %s --> [*]\n", s)
	}
	b.WriteString("```\n")
	return b.String(), nil
}
