package cluster

import (
	"errors"
	"fmt"
	"testing"
)

// hostile is an error of a platform's Deliver.
type hostile struct{ error }

func (hostile) Is(error) bool { panic("asked") }

func TestAnErrorOfThePlatformMayPanic(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err  error
		want bool
	}{
		{nil, false},
		{errors.New("x"), false},
		{ErrFenced, true},
		{fmt.Errorf("post: %w", ErrFenced), true},
		{hostile{}, false},
	} {
		if got := isFenced(c.err); got != c.want {
			t.Errorf("%T: got %v, want %v", c.err, got, c.want)
		}
	}
}
