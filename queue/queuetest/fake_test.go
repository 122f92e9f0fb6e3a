package queuetest_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
)

// fake is a testing.TB that keeps its failures to itself.
type fake struct {
	testing.TB

	mu       sync.Mutex // guards the block below
	failed   bool
	skipped  bool
	said     []string
	cleanups []func()
}

func (f *fake) say(failed bool, s string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.failed = f.failed || failed
	f.said = append(f.said, s)
}

func (f *fake) Helper()                           {}
func (f *fake) Log(args ...any)                   { f.say(false, fmt.Sprintln(args...)) }
func (f *fake) Logf(format string, args ...any)   { f.say(false, fmt.Sprintf(format, args...)) }
func (f *fake) Error(args ...any)                 { f.say(true, fmt.Sprintln(args...)) }
func (f *fake) Errorf(format string, args ...any) { f.say(true, fmt.Sprintf(format, args...)) }
func (f *fake) Fatal(args ...any)                 { f.Error(args...); runtime.Goexit() }
func (f *fake) Fatalf(format string, args ...any) { f.Errorf(format, args...); runtime.Goexit() }
func (f *fake) FailNow()                          { f.say(true, ""); runtime.Goexit() }
func (f *fake) Context() context.Context          { return context.Background() }

func (f *fake) Skipf(format string, args ...any) {
	f.say(false, fmt.Sprintf(format, args...))
	f.mu.Lock()
	f.skipped = true
	f.mu.Unlock()
	runtime.Goexit()
}

func (f *fake) Failed() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.failed
}

func (f *fake) Skipped() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.skipped
}

func (f *fake) Cleanup(c func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.cleanups = append(f.cleanups, c)
}

func (f *fake) cleanUp() {
	for _, c := range slices.Backward(f.cleanups) {
		c()
	}
}

func (f *fake) String() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return strings.Join(f.said, "\n")
}
