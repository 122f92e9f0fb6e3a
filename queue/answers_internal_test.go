package queue

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"ivrqueue/operation"
)

// seenAnswer is what an input with a key was answered.
type seenAnswer struct {
	key       Key
	do        Do
	op        Op
	cancelled []Op
	at        time.Time
}

// answered returns the answer of an earlier input with this key, if it must be remembered: one of
// the last, and not too old.
func (v *invariants) answered(key Key, at time.Time) *seenAnswer {
	for i := range slices.Backward(v.answers[max(0, len(v.answers)-bareKeys):]) {
		a := &v.answers[max(0, len(v.answers)-bareKeys)+i]
		if key != 0 && a.key == key && at.Sub(a.at) < bareKeyAge {
			return a
		}
	}
	return nil
}

// remember books the answer of an input that had a key of its own.
func (v *invariants) remember(in Input, out *Output) {
	if in.Key == 0 || out.Err != nil || v.answered(in.Key, v.now) != nil {
		return
	}
	v.keys = max(v.keys, in.Key)
	v.answers = append(v.answers, seenAnswer{in.Key, in.Do, in.Op, slices.Clone(out.Cancelled), v.now})
}

// judgeRepeat: the same answer, or that the key was reused, and in both cases nothing changes.
func (v *invariants) judgeRepeat(in Input, out *Output, first *seenAnswer) error {
	switch {
	case len(out.Events) > 0:
		return fmt.Errorf("repeat: %v, which repeats an input, has events", in)
	case in.Do != first.do:
		if out.Err != ErrKeyReused || out.Repeats || len(out.Cancelled) > 0 { //nolint:errorlint // none is wrapped
			return fmt.Errorf("repeat: %v: %w, want %w", in, out.Err, ErrKeyReused)
		}
	case out.Err != nil || !out.Repeats || out.First != first.op || !slices.Equal(out.Cancelled, first.cancelled):
		return fmt.Errorf("repeat: %v: %w, %d and %v, want %d and %v",
			in, out.Err, out.First, out.Cancelled, first.op, first.cancelled)
	}
	return nil
}

// The explorer finds repeats that are got wrong.
func TestTheExplorerFindsBrokenRepeats(t *testing.T) {
	t.Parallel()
	b := budget{Enqueues: 3, Interrupts: 1, Cancels: 1, Seals: 1, Closes: 1, Keys: 4, Repeats: 1}
	for _, broken := range []struct {
		name    string
		perform func(b *Bare, in Input, at time.Time) Output
		rule    string
		inputs  int
	}{
		{"keys mean nothing", withoutKeys, "repeat", 2},
		{"answers are remembered for ever", remembersForEver, "G16", 5},
		{"answers are remembered without number", remembersAll, "G16", 4},
		{"the last answer alone is remembered", remembersOne, "repeat", 3},
		{"a key is good for all methods", takesAnyMethod, "repeat", 2},
		{"what is refused is remembered", remembersRefusals, "G16", 3},
		{"a closed queue forgets", forgetsWhenClosed, "repeat", 3},
		{"a repeated cancel has an empty receipt", forgetsReceipts, "repeat", 3},
		{"a cancel with the key of another call is dropped", refusesCancels, "G4", 2},
	} {
		t.Run(broken.name, func(t *testing.T) {
			t.Parallel()
			found := explore(exploration{budget: b, variant: variant{perform: broken.perform}})
			t.Log(found)
			if found.err == nil || !strings.HasPrefix(found.err.Error(), broken.rule+":") || len(found.path) != broken.inputs {
				t.Fatalf("got %v, want %s after %d inputs", found, broken.rule, broken.inputs)
			}
		})
	}
}

func withoutKeys(b *Bare, in Input, at time.Time) Output {
	in.Key = 0
	return b.perform(in, at)
}

func remembersForEver(b *Bare, in Input, at time.Time) Output {
	b.m.config = &config{maxUndelivered: 1 << 20, maxKeys: bareKeys, keyAge: 1 << 60}
	return b.perform(in, at)
}

func remembersAll(b *Bare, in Input, at time.Time) Output {
	b.m.config = &config{maxUndelivered: 1 << 20, maxKeys: 1 << 20, keyAge: bareKeyAge}
	return b.perform(in, at)
}

func remembersOne(b *Bare, in Input, at time.Time) Output {
	b.m.config = &config{maxUndelivered: 1 << 20, maxKeys: 1, keyAge: bareKeyAge}
	return b.perform(in, at)
}

func takesAnyMethod(b *Bare, in Input, at time.Time) Output {
	if b.m.cold != nil && b.m.cold.answers != nil {
		for a := b.m.cold.answers.first; a != nil && in.Key != 0; a = a.next {
			if a.key == in.keyed().key && in.Do.accepts() {
				return b.repeat(a, nil)
			}
		}
	}
	return b.perform(in, at)
}

func remembersRefusals(b *Bare, in Input, at time.Time) Output {
	out := b.perform(in, at)
	if out.Err == ErrClosed && in.Key != 0 { //nolint:errorlint // none is wrapped
		b.m.remember(in.keyed(), new(operation.Control).Operation(), nil, at)
	}
	return out
}

func forgetsWhenClosed(b *Bare, in Input, at time.Time) Output {
	if b.m.phase >= phaseClosed && b.m.cold != nil {
		b.m.cold.answers = nil
	}
	return b.perform(in, at)
}

func forgetsReceipts(b *Bare, in Input, at time.Time) Output {
	out := b.perform(in, at)
	if b.m.cold != nil && b.m.cold.answers != nil {
		for a := b.m.cold.answers.first; a != nil; a = a.next {
			a.cancelled = nil
		}
	}
	return out
}

func refusesCancels(b *Bare, in Input, at time.Time) Output {
	if in.Do == DoCancelAll && in.Key != 0 {
		if _, err := b.m.repeats(in.keyed(), at); err != nil {
			return Output{}
		}
	}
	return b.perform(in, at)
}
