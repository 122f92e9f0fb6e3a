package operation_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"ivrqueue/operation"
	"ivrqueue/tone"
)

var somebody = operation.Cause{
	ID: uuid.UUID{1}, Kind: operation.KindCancelMediaProcessing, ClientContext: "mark",
	Tone: tone.Pound, ToneSeq: 7,
}

// An operation has the cause of its preemption, alone or with others, and none
// without one.
func TestAnOperationHasTheCauseOfItsEnd(t *testing.T) {
	t.Parallel()
	now := time.Now()
	cancelled := &operation.Result{Reason: operation.Cancelled}
	for name, tt := range map[string]struct {
		end  func(c *operation.Control, own, all *operation.Generation) error
		want operation.Cause
	}{
		"live": {end: func(*operation.Control, *operation.Generation, *operation.Generation) error { return nil }},
		"with all that are like it": {want: somebody, end: func(_ *operation.Control, own, _ *operation.Generation) error {
			own.End(operation.Cancelled, &somebody, now, 0)
			return nil
		}},
		"with all": {want: somebody, end: func(_ *operation.Control, _, all *operation.Generation) error {
			all.End(operation.Cancelled, &somebody, now, 0)
			return nil
		}},
		"alone": {want: somebody, end: func(c *operation.Control, _, _ *operation.Generation) error {
			by := somebody
			return c.EndBy(cancelled, &by, now)
		}},
		"alone, and then all": {end: func(c *operation.Control, _, all *operation.Generation) error {
			err := c.End(cancelled, now)
			all.End(operation.Cancelled, &somebody, now, 0)
			return err
		}},
		"by nobody": {end: func(c *operation.Control, _, _ *operation.Generation) error { return c.End(cancelled, now) }},
		"all, by nobody": {end: func(_ *operation.Control, own, _ *operation.Generation) error {
			own.End(operation.CallEnded, nil, now, 0)
			return nil
		}},
		"by its media, with an error": {end: func(c *operation.Control, _, _ *operation.Generation) error {
			return c.End(&operation.Result{Reason: operation.BeepFailed, Err: operation.BeepFailed}, now)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			own, all := new(operation.Generation), new(operation.Generation)
			c := accepted(t, own, operation.Spec{})
			own.Link(all)
			if err := tt.end(c, own, all); err != nil {
				t.Fatal(err)
			}
			got, known := c.Operation().Cause()
			if got != tt.want || known != (tt.want != operation.Cause{}) {
				t.Errorf("%+v %v, want %+v", got, known, tt.want)
			}
		})
	}
	if got, known := (*operation.Operation)(nil).Cause(); known {
		t.Errorf("a nil operation: %+v", got)
	}
}

// A live generation that is linked to a live one is live; either's end is its end, the first alone.
func TestALinkedGenerationEndsOnce(t *testing.T) {
	t.Parallel()
	first, all, then := new(operation.Generation), new(operation.Generation), new(operation.Generation)
	at := time.Unix(1, 0)
	c := accepted(t, first, operation.Spec{})
	protected, other := accepted(t, all, operation.Spec{}), new(operation.Control) // running, waiting
	other.Init(operation.Spec{Context: t.Context()})
	other.Accept(then, at)
	look := func(when string, want ...operation.Reason) {
		t.Helper()
		for i, op := range []*operation.Operation{c.Operation(), other.Operation(), protected.Operation()} {
			r, _ := op.Result()
			if r.Reason != want[i] || op.Live() != (want[i] == 0) {
				t.Errorf("%s: operation %d has %v and is live: %v; want %v", when, i, r.Reason, op.Live(), want[i])
			}
		}
	}
	first.Link(new(operation.Generation)) // of protected ones that are through
	first.Link(all)
	then.Link(all)
	look("linked", 0, 0, 0)
	first.End(operation.BargedIn, nil, at, 0)
	look("ended", operation.BargedIn, 0, 0)
	all.End(operation.Cancelled, nil, at.Add(time.Second), time.Minute)
	look("all ended", operation.BargedIn, operation.Cancelled, operation.Cancelled)
	if r, _ := protected.Operation().Result(); r.Position != time.Minute {
		t.Errorf("the running one's position is %v", r.Position)
	}
	if r, _ := other.Operation().Result(); r.Position != 0 {
		t.Errorf("the waiting one's position is %v", r.Position)
	}
	if got := other.Operation().Times().Ended; !got.Equal(at.Add(time.Second)) {
		t.Errorf("ended at %v", got)
	}
}

func TestACauseNamesWhatIsWrongWithIt(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", operation.MaxClientContext)
	for name, tt := range map[string]struct {
		cause operation.Cause
		want  string
	}{
		"nobody":             {},
		"somebody":           {cause: somebody},
		"the longest":        {cause: operation.Cause{Kind: operation.Kind(long), ClientContext: long}},
		"a long kind":        {operation.Cause{Kind: operation.Kind(long + "x")}, "cause.kind is 257 characters, must be at most 256"},
		"a long context":     {operation.Cause{ClientContext: long + "x"}, "cause.clientContext is 257 characters, must be at most 256"},
		"a kind of no text":  {operation.Cause{Kind: "\xff"}, "cause.kind is invalid UTF-8"},
		"no text":            {operation.Cause{ClientContext: "\xff"}, "cause.clientContext is invalid UTF-8"},
		"no tone":            {operation.Cause{Tone: tone.Flash + 1}, "cause.tone is Tone(18), must be one of the 17 tones"},
		"a number of no key": {operation.Cause{ToneSeq: 1}, "cause.toneSeq is 1, must be zero without a tone"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := tt.cause.Validate()
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
}
