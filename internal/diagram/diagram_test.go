package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ivrqueue/internal/leak"
)

func TestMain(m *testing.M) { leak.Verify(m) }

func TestTheDocumentsShowWhatTheMachineSays(t *testing.T) {
	t.Parallel()
	for _, name := range documents() {
		text, err := os.ReadFile(filepath.Join("../..", name))
		if err != nil {
			t.Fatal(err)
		}
		if drawn, err := insert(string(text)); err != nil || drawn != string(text) {
			t.Errorf("%s is not up to date (%v): run go run ./internal/diagram", name, err)
		}
	}
}

func TestTheDrawingHasEveryMove(t *testing.T) {
	t.Parallel()
	drawing, err := draw()
	if err != nil {
		t.Fatal(err)
	}
	for _, move := range []string{
		"[*] --> notStarted", "notStarted --> running: start", "running --> completed: complete",
		"notStarted --> failed: fail", "running --> failed: fail", "completed --> [*]", "failed --> [*]",
	} {
		if !strings.Contains(drawing, move) {
			t.Errorf("no %q in\n%s", move, drawing)
		}
	}
}

func TestADocumentWithoutMarkersIsAnError(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", begin, end, end + begin} {
		if _, err := insert(text); err == nil {
			t.Errorf("%q is no error", text)
		}
	}
}
