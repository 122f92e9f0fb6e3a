package queuetest_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/queue/queuetest"
)

func TestGoodMediaPasses(t *testing.T) {
	t.Parallel()
	easy := harness(blocking)
	easy.EndsAtOnce = nil // it has a goroutine of its own, so nothing ends inside Start
	for _, good := range []struct {
		name     string
		h        queuetest.Harness
		realTime bool // too, which takes a second
	}{
		{"blocking", easy, true},
		{"event driven", harnessOf(""), false},
		{"event driven, waiting in Stop", harnessOf(waitsInStop), true},
		{"event driven inline", inline(harnessOf(waitsNot)), false},
		{"blocking inline", inline(easy), false},
	} {
		t.Run(good.name+" in a bubble", func(t *testing.T) {
			t.Parallel()
			queuetest.TestMediaInBubble(t, good.h)
		})
		if !good.realTime {
			continue
		}
		t.Run(good.name+" in real time", func(t *testing.T) {
			t.Parallel()
			h := good.h                  // the other one runs beside it
			h.Timeout = 10 * time.Second // longer than a machine is held up
			queuetest.TestMedia(t, h)
		})
	}
}

func inline(h queuetest.Harness) queuetest.Harness {
	h.Options = []queue.Option{queue.WithInlineMedia()}
	return h
}

// A callback that never returns leaves its goroutine behind, so these are done by hand.
func TestMediaThatHangsForEverFails(t *testing.T) {
	t.Parallel()
	for says, hangs := range map[string]func(m *queuetest.Media, release chan struct{}){
		"no Start of script": func(m *queuetest.Media, release chan struct{}) {
			m.OnStart = func(queue.Task) error { <-release; return nil }
		},
		"no report of script": func(m *queuetest.Media, release chan struct{}) {
			m.OnStop = func(queue.Task) { <-release }
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			m, release := new(queuetest.Media), make(chan struct{})
			defer close(release)
			hangs(m, release)
			f := run(t, caseNamed(t, stopAnswered), harness(func(testing.TB) queue.Media { return m }))
			if !f.Failed() || !strings.Contains(f.String(), says) {
				t.Errorf("failed: %v\n%s", f.Failed(), f)
			}
		})
	}
}

// A callback that waits on the goroutine that cancels holds the case itself, until a valve opens.
func TestMediaThatWaitsInlineFails(t *testing.T) {
	t.Parallel()
	for name, media := range map[string]fault{startHangs: "", stopHangs: waitsInStop} {
		f := runInBubble(t, caseNamed(t, name), inline(harnessOf(media)))
		if !f.Failed() || !strings.Contains(f.String(), "Start and Stop do not wait") {
			t.Errorf("failed: %v\n%s", f.Failed(), f)
		}
	}
}

func TestTheSuiteNamesWhatTheHarnessLacks(t *testing.T) {
	t.Parallel()
	whole := harness(blocking)
	for want, h := range map[string]queuetest.Harness{
		"no New":         {Ends: whole.Ends, Lasts: whole.Lasts},
		"no Ends":        {New: whole.New, Lasts: whole.Lasts},
		"no Lasts":       {New: whole.New, Ends: whole.Ends},
		"Timeout is -1s": {New: whole.New, Ends: whole.Ends, Lasts: whole.Lasts, Timeout: -time.Second},
		"returned nil (<nil>)": {
			New:  func(testing.TB) queue.Media { return nil },
			Ends: whole.Ends, Lasts: whole.Lasts,
		},
		"returned nil (*queuetest.Media)": {
			New:  func(testing.TB) queue.Media { return (*queuetest.Media)(nil) },
			Ends: whole.Ends, Lasts: whole.Lasts,
		},
		"WithMaxPending(-1)": {
			New: whole.New, Ends: whole.Ends, Lasts: whole.Lasts,
			Options: []queue.Option{queue.WithMaxPending(-1)},
		},
		"request of the harness's Ends was refused": {
			New: whole.New, Lasts: whole.Lasts,
			Ends: func() operation.Request { return nil },
		},
	} {
		f := run(t, queuetest.Cases()[0], h)
		if !f.Failed() || !strings.Contains(f.String(), want) {
			t.Errorf("want a failure with %q, failed: %v, said %q", want, f.Failed(), f)
		}
	}
}

func TestABackEndThatCannotBeReleasedIsNamed(t *testing.T) {
	t.Parallel()
	h := harness(blocking)
	h.BlockBackend = func(queue.Media) func() { return nil }
	const want = "BlockBackend of the harness returned no release"
	if f := run(t, caseNamed(t, startHangs), h); !f.Failed() || !strings.Contains(f.String(), want) {
		t.Errorf("want a failure with %q, failed: %v, said %q", want, f.Failed(), f)
	}
}

func TestACaseThatLacksItsHookSkipsItself(t *testing.T) {
	t.Parallel()
	whole := harness(blocking)
	bare := queuetest.Harness{New: whole.New, Ends: whole.Ends, Lasts: whole.Lasts}
	for hook, names := range map[string][]string{
		"EndsAtOnce":   {endsInside},
		"Fails":        {failsWithCause, failsClean},
		"Pauses":       {pauseSilent, stopInPause},
		"Prepares":     {preparedDone, prepareOver},
		"Loops":        {loopEnds},
		"FramesSent":   {silent},
		"BlockBackend": {startHangs, stopHangs, lateReport, lateStart},
	} {
		for _, name := range names {
			f := run(t, caseNamed(t, name), bare)
			if f.Failed() || !f.Skipped() || !strings.Contains(f.String(), "no "+hook) {
				t.Errorf("%q failed: %v, skipped: %v, said %q", name, f.Failed(), f.Skipped(), f)
			}
		}
	}
}

func caseNamed(t *testing.T, name string) queuetest.Case {
	t.Helper()
	for _, c := range queuetest.Cases() {
		if c.Name == name {
			return c
		}
	}
	t.Fatalf("no case %q", name)
	return queuetest.Case{}
}

func runInBubble(t *testing.T, c queuetest.Case, h queuetest.Harness) (f *fake) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { f = run(t, c, h) })
	return f
}

// run runs a case on a goroutine of its own, since FailNow exits it.
func run(t *testing.T, c queuetest.Case, h queuetest.Harness) *fake {
	t.Helper()
	f := &fake{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer f.cleanUp()
		c.Run(f, h)
	}()
	<-done
	return f
}
