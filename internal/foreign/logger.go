package foreign

import (
	"context"
	"log/slog"
)

// NoHandler reports whether l is a logger without a handler, which panics at its first line. A nil
// logger is none: it stands for a default.
func NoHandler(l *slog.Logger) bool { return l != nil && IsNil(l.Handler()) }

// Logger returns a logger like l, or for nil like [slog.Default], whose handler may panic: the line
// is lost then, and nothing else. It blocks as long as the handler does.
func Logger(l *slog.Logger) *slog.Logger {
	if l == nil {
		l = slog.Default()
	}
	return slog.New(guarded{l.Handler()})
}

// guarded is a log handler that may panic: no goroutine of ours ends by that, and nothing that is
// to follow is left out.
type guarded struct{ slog.Handler }

func (g guarded) Enabled(ctx context.Context, level slog.Level) (enabled bool) {
	defer func() { _ = recover() }()
	return g.Handler.Enabled(ctx, level)
}

func (g guarded) Handle(ctx context.Context, r slog.Record) error {
	defer func() { _ = recover() }()
	return g.Handler.Handle(ctx, r)
}

func (g guarded) WithAttrs(attrs []slog.Attr) slog.Handler {
	return g.with(func() slog.Handler { return g.Handler.WithAttrs(attrs) })
}

func (g guarded) WithGroup(name string) slog.Handler {
	return g.with(func() slog.Handler { return g.Handler.WithGroup(name) })
}

// with returns the handler that f makes, guarded too; g if there is none.
func (g guarded) with(f func() slog.Handler) (made slog.Handler) {
	made = g
	defer func() { _ = recover() }()
	if h := f(); !IsNil(h) {
		made = guarded{h}
	}
	return made
}
