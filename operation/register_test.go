package operation_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"ivrqueue/operation"
)

// ownReason is a spec with this name that is right.
func ownReason(name string) operation.ReasonSpec {
	return operation.ReasonSpec{Name: name, Status: operation.Failed, Code: 400, Subcode: 9001, Message: "No."}
}

func TestARegisteredReasonIsOneLikeTheOthers(t *testing.T) {
	t.Parallel()
	spec := ownReason("test.lineLost")
	r, err := operation.RegisterReason(spec)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := operation.RegisterReason(spec); again != r || err != nil {
		t.Errorf("the same again: %v, %v", again, err)
	}
	if !r.Valid() || r.String() != spec.Name || r.Status() != spec.Status || r.Code() != spec.Code ||
		r.Subcode() != spec.Subcode || r.Message() != spec.Message || r.Error() != "test.lineLost (400/9001)" ||
		r.CompletionReason(operation.KindPlayPrompt) != "unknown" ||
		r.CompletionReason(operation.KindRecordResponse) != "unspecifiedError" || r.CompletionReason("own") != "" {
		t.Error(r.Error())
	}
	if got := operation.ReasonOf(fmt.Errorf("media: %w", r)); got != r {
		t.Errorf("found %v", got)
	}
	// As the end of one operation, and of a generation.
	g := new(operation.Generation)
	own, other := accepted(t, g, operation.Spec{}), accepted(t, g, operation.Spec{})
	if err := own.End(&operation.Result{Reason: r, Value: []string{"heard"}}, time.Now()); err != nil {
		t.Fatal(err)
	}
	g.End(r, nil, time.Now(), 0)
	for _, c := range []*operation.Control{own, other} {
		op := c.Operation()
		if op.Status() != operation.Failed || !errors.Is(op.Err(), r) || !errors.Is(context.Cause(op.Context()), r) {
			t.Errorf("%v, %v, %v", op.Status(), op.Err(), context.Cause(op.Context()))
		}
	}
	if result, _ := own.Operation().Result(); result.Value.([]string)[0] != "heard" { //nolint:forcetypeassert // a test
		t.Errorf("%+v", result)
	}
	if result, _ := other.Operation().Result(); result.Value != nil {
		t.Errorf("%+v", result)
	}
}

func TestARegisteredReasonMayBeACompletion(t *testing.T) {
	t.Parallel()
	r, err := operation.NewReasonTable()(operation.ReasonSpec{
		Name: "done", Status: operation.Completed, Code: 200, Message: "Done.", Record: "stopToneDetected",
	})
	if err != nil || r == 0 {
		t.Fatal(err)
	}
	r, err = operation.RegisterReason(operation.ReasonSpec{
		Name: "test.matched", Status: operation.Completed, Code: 299, Subcode: math.MaxInt32, Message: "Matched.",
	})
	if err != nil || r.CompletionReason(operation.KindPlayPrompt) != "completedSuccessfully" ||
		r.CompletionReason(operation.KindRecordResponse) != "" {
		t.Error(err, r)
	}
	if found, ok := operation.FindReason(r); ok {
		t.Errorf("a completion was found as the reason of a failure: %v", found)
	}
}

func TestAWrongReasonIsRefused(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, field string
		change      func(*operation.ReasonSpec)
	}{
		{"no name", "reason.name", func(s *operation.ReasonSpec) { s.Name = "" }},
		{"a name that is too long", "reason.name", func(s *operation.ReasonSpec) { s.Name = strings.Repeat("x", 65) }},
		{"a huge name", "reason.name", func(s *operation.ReasonSpec) { s.Name = strings.Repeat("x", 1<<20) }},
		{"a name with a space", "reason.name", func(s *operation.ReasonSpec) { s.Name = "a b" }},
		{"a name with a digit first", "reason.name", func(s *operation.ReasonSpec) { s.Name = "1a" }},
		{"a name like that of no reason", "reason.name", func(s *operation.ReasonSpec) { s.Name = "Reason(3)" }},
		{"the name of no reason", "reason.name", func(s *operation.ReasonSpec) { s.Name = operation.Reason(0).String() }},
		{"a name beyond ASCII", "reason.name", func(s *operation.ReasonSpec) { s.Name = "größe" }},
		{"the name of another", "reason.name", func(s *operation.ReasonSpec) { s.Name = "cancelled" }},
		{"no status", "reason.status", func(s *operation.ReasonSpec) { s.Status = 0 }},
		{"a status that is no end", "reason.status", func(s *operation.ReasonSpec) { s.Status = operation.Running }},
		{"a status that there is not", "reason.status", func(s *operation.ReasonSpec) { s.Status = 99 }},
		{"a code below", "reason.code", func(s *operation.ReasonSpec) { s.Code = 399 }},
		{"a code above", "reason.code", func(s *operation.ReasonSpec) { s.Code = 600 }},
		{"a failure's code of a completion", "reason.code", func(s *operation.ReasonSpec) { s.Status = operation.Completed }},
		{"a subcode below", "reason.subcode", func(s *operation.ReasonSpec) { s.Subcode = -1 }},
		{"no message", "reason.message", func(s *operation.ReasonSpec) { s.Message = "" }},
		{"a message that is too long", "reason.message", func(s *operation.ReasonSpec) { s.Message = strings.Repeat("ä", 257) }},
		{"a message that is no text", "reason.message", func(s *operation.ReasonSpec) { s.Message = "\xff" }},
		{"a play's completion that Graph has not", "reason.play", func(s *operation.ReasonSpec) { s.Play = "stopToneDetected" }},
		{"a record's completion that Graph has not", "reason.record", func(s *operation.ReasonSpec) { s.Record = "unknown" }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			spec := ownReason("test.wrong")
			tt.change(&spec)
			r, err := operation.RegisterReason(spec)
			var wrong *operation.FieldError
			if r != 0 || !errors.As(err, &wrong) || wrong.Field != tt.field || len(err.Error()) > 500 {
				t.Errorf("%v, %v", r, err)
			}
		})
	}
	at := ownReason(strings.Repeat("x", operation.MaxReasonName))
	at.Code, at.Message = 599, strings.Repeat("ä", operation.MaxReasonMessage)
	if _, err := operation.NewReasonTable()(at); err != nil {
		t.Errorf("at the limits: %v", err)
	}
}

// From many goroutines at once each name is one reason, and there are 255.
func TestReasonsAreRegisteredUpToTheLimit(t *testing.T) {
	t.Parallel()
	register := operation.NewReasonTable()
	const tries, names = 4, 300
	var mu sync.Mutex
	got, refused := map[string]operation.Reason{}, map[string]bool{}
	var all sync.WaitGroup
	for range tries {
		all.Go(func() {
			for i := range names {
				spec := ownReason(fmt.Sprintf("own%d", i))
				r, err := register(spec)
				mu.Lock()
				switch old, known := got[spec.Name]; {
				case err != nil:
					refused[spec.Name] = true
				case known && old != r:
					t.Errorf("%s is %d and %d", spec.Name, old, r)
				default:
					got[spec.Name] = r
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	numbers := map[operation.Reason]bool{}
	for name, r := range got {
		if numbers[r] = true; refused[name] {
			t.Errorf("%s was accepted and refused", name)
		}
	}
	if len(numbers) != len(got) || len(got) != operation.MaxReasons-operation.BuiltInReasons || len(got)+len(refused) != names {
		t.Errorf("%d reasons for %d names, %d refused", len(numbers), len(got), len(refused))
	}
	var wrong *operation.FieldError
	if _, err := register(ownReason("onemore")); !errors.As(err, &wrong) || wrong.Field != "reason" {
		t.Errorf("one more: %v", err)
	}
}
