package queuelog

import (
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/http"

	"github.com/google/uuid"

	"ivrqueue/internal/foreign"
	"ivrqueue/operation"
	"ivrqueue/queue"
)

// Message is that of every line.
const Message = "operation ended"

// Option configures an Observer. Of those of a kind the last counts; a wrong one is an error of
// New, wherever it stands.
type Option func(*Observer) error

// WithLevels sets the level of an operation's line by the reason of its end. The function is
// called for each line, at once with others, and must return at once. Default, and for nil: Warn
// for what is 500 on the wire, a fault of this side, as [operation.PromptFailed]; else Info. A
// preempted operation whose media was abandoned is of the reason [operation.Abandoned] here.
func WithLevels(level func(operation.Reason) slog.Level) Option {
	return func(o *Observer) error {
		if o.level = level; level == nil {
			o.level = defaultLevel
		}
		return nil
	}
}

// WithSampling logs a share of the operations whose level is below Warn, 0 to 1, and all others.
// Which they are, their ids decide: several observers log the same ones. Default: 1, all of them.
func WithSampling(share float64) Option {
	return func(o *Observer) error {
		if !(share >= 0 && share <= 1) { // nor NaN
			return fmt.Errorf("queuelog: WithSampling(%v): must be 0 to 1", share)
		}
		o.share = share
		return nil
	}
}

// WithErrors logs the whole text of errors, which may name files and addresses of this side, and
// what media puts there: it is called for that, and may be anything. Default: what
// [operation.Detail] makes public.
func WithErrors() Option {
	return func(o *Observer) error {
		o.errors = true
		return nil
	}
}

// Observer logs operations that have ended. New makes it; it needs no release. The zero Observer
// panics.
type Observer struct {
	logger *slog.Logger
	level  func(operation.Reason) slog.Level
	share  float64
	errors bool
}

var _ queue.Observer = (*Observer)(nil)

// New makes an observer that logs to l. For nil that is [slog.Default], as it is then; a logger
// without a handler is an error, and so is an option that is out of its limits.
func New(l *slog.Logger, opts ...Option) (*Observer, error) {
	if l == nil {
		l = slog.Default()
	}
	if foreign.NoHandler(l) {
		return nil, errors.New("queuelog: New: a logger without a handler")
	}
	o := &Observer{logger: l, level: defaultLevel, share: 1}
	var errs []error
	for _, option := range opts {
		if option != nil {
			errs = append(errs, option(o))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return o, nil
}

func defaultLevel(why operation.Reason) slog.Level {
	if why.Code() >= http.StatusInternalServerError {
		return slog.LevelWarn
	}
	return slog.LevelInfo
}

// Observe is for queues to call. It blocks as long as the logger's handler does.
func (o *Observer) Observe(e queue.Event) {
	switch {
	case o.logger == nil:
		panic("queuelog: an Observer that New did not make")
	case e.Kind == queue.Ended && !e.Operation.Preempted(), e.Kind == queue.Released:
		o.ended(e)
	default:
	}
}

// ended logs an operation whose last event this is.
func (o *Observer) ended(e queue.Event) {
	op := e.Operation
	result, _ := op.Result()
	final := e.Result()
	why := result.Reason
	if final.Reason == operation.Abandoned {
		why = operation.Abandoned
	}
	level := o.level(why)
	if level < slog.LevelWarn && !o.sampled(op.ID()) {
		return
	}
	ctx := op.DetachedContext() // of a trace, for handlers that know of one
	if !o.logger.Enabled(ctx, level) {
		return
	}
	o.logger.LogAttrs(ctx, level, Message, o.line(e, &result, &final)...)
}

// line is what is logged of an operation. final is what its media said last.
func (o *Observer) line(e queue.Event, result, final *operation.Result) []slog.Attr {
	op, why := e.Operation, result.Reason
	times := op.Times()
	began := times.Started
	if began.IsZero() { // it never ran
		began = times.Ended
	}
	line := make([]slog.Attr, 0, 16) // room for all
	line = append(line,
		slog.String("call", e.CallID()),
		slog.String("operation", op.ID().String()),
		slog.String("kind", string(op.Kind())),
		slog.String("reason", why.String()),
		slog.Int("code", why.Code()),
		slog.Int("subcode", why.Subcode()),
		slog.Duration("waited", began.Sub(times.Accepted)),
		slog.Duration("ran", times.Ended.Sub(began)),
		slog.Duration("position", final.Position),
	)
	if cause, ok := op.Cause(); ok {
		line = append(line, causeOf(cause))
	}
	if e.Kind == queue.Released {
		line = append(line, slog.Duration("silent", e.Time.Sub(times.Ended)))
		if final.Reason == operation.Abandoned {
			line = append(line, slog.Bool("abandoned", true))
		}
	}
	err := result.Err
	if err == nil {
		err = final.Err
	}
	switch {
	case err == nil:
	case o.errors:
		line = append(line, slog.Any("error", err))
	default:
		if detail := operation.Detail(err); detail != "" {
			line = append(line, slog.String("detail", detail))
		}
	}
	return line
}

// causeOf says who ended an operation: another one, or a key, of which only the number is logged.
func causeOf(c operation.Cause) slog.Attr {
	if c.Tone != 0 {
		return slog.Group("cause", slog.Uint64("tone_seq", c.ToneSeq))
	}
	return slog.Group("cause", slog.String("kind", string(c.Kind)), slog.String("id", c.ID.String()))
}

// sampled reports whether an operation is among the share that is logged.
func (o *Observer) sampled(id uuid.UUID) bool {
	if o.share == 1 {
		return true
	}
	// Multiplied so that ids which are numbered, by a platform that does so, are spread as random
	// ones.
	const golden = 0x9e3779b97f4a7c15
	n := (binary.BigEndian.Uint64(id[:8]) ^ binary.BigEndian.Uint64(id[8:])) * golden
	return float64(n) < o.share*math.MaxUint64
}
