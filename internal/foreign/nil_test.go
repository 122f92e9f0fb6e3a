package foreign_test

import (
	"log/slog"
	"strings"
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

// faulty is a log handler whose methods panic, or return nothing.
type faulty struct{ slog.Handler }

func (faulty) WithGroup(string) slog.Handler { return nil }

func TestALoggerMayPanic(t *testing.T) {
	t.Parallel()
	l := foreign.Logger(slog.New(faulty{}))
	for _, l := range []*slog.Logger{l, l.With(slog.String("k", "v")), l.WithGroup("g")} {
		l.Error("lost")
		if err := l.Handler().Handle(t.Context(), slog.Record{}); err != nil {
			t.Error(err)
		}
	}
}

func TestALoggerKeepsWhatIsItsOwn(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	l := foreign.Logger(slog.New(slog.NewTextHandler(&text, nil)))
	l.WithGroup("g").With(slog.String("k", "v")).Info("here")
	l.Debug("not here")
	if got := text.String(); !strings.HasSuffix(got, "level=INFO msg=here g.k=v\n") {
		t.Errorf("got %q", got)
	}
	if foreign.Logger(nil) == nil {
		t.Error("there is no default")
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
