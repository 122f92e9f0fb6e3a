package foreign_test

import (
	"log/slog"
	"testing"
	"unsafe"

	"ivrqueue/internal/foreign"
)

func TestNilInAnyFormIsNil(t *testing.T) {
	t.Parallel()
	for _, v := range []any{
		nil, (*int)(nil), map[int]int(nil), (func())(nil), chan int(nil), []int(nil), unsafe.Pointer(nil),
	} {
		if !foreign.IsNil(v) {
			t.Errorf("%T is not nil", v)
		}
	}
	for _, v := range []any{
		0, "", struct{}{}, new(int), func() {}, []int{}, map[int]int{}, make(chan int), [0]int{},
	} {
		if foreign.IsNil(v) {
			t.Errorf("%T is nil", v)
		}
	}
}

func TestALoggerWithoutAHandlerIsFound(t *testing.T) {
	t.Parallel()
	for _, l := range []*slog.Logger{{}, slog.New((*slog.TextHandler)(nil))} {
		if !foreign.NoHandler(l) {
			t.Errorf("%T counts as a handler", l.Handler())
		}
	}
	for _, l := range []*slog.Logger{nil, slog.Default()} {
		if foreign.NoHandler(l) {
			t.Errorf("%v counts as without a handler", l)
		}
	}
}
