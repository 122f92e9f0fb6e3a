package foreign

import "log/slog"

// NoHandler reports whether l is a logger without a handler, which panics at its first line. A nil
// logger is none: it stands for a default.
func NoHandler(l *slog.Logger) bool { return l != nil && IsNil(l.Handler()) }
