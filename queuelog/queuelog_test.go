package queuelog_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"math"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/queue/queuetest"
	"ivrqueue/queuelog"
	"ivrqueue/tone"
)

// book is where lines are logged to.
type book struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *book) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *book) lines() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Split(strings.TrimSuffix(b.text.String(), "\n"), "\n")
}

func (b *book) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(b, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
}

func play() *operation.PlayPrompt {
	return &operation.PlayPrompt{Prompts: []operation.Prompt{{URI: "https://secret.example/x.wav"}}, StopTones: tone.All}
}

func id(n byte) uuid.UUID { return uuid.UUID{15: n} }

func newQueue(t *testing.T, o queue.Observer, m queue.Media) *queue.Queue {
	t.Helper()
	q, err := queue.New("call-1", m, queue.WithObserver(o), queue.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { q.Close(nil) })
	return q
}

func observer(t *testing.T, l *slog.Logger, opts ...queuelog.Option) *queuelog.Observer {
	t.Helper()
	o, err := queuelog.New(l, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// Each operation that ended is a line, whatever ended it.
func TestEachOperationIsALine(t *testing.T) {
	t.Parallel()
	const of = `level=INFO msg="operation ended" call=call-1 operation=00000000-0000-0000-0000-000000000001 kind=playPrompt `
	secret := &operation.PromptError{Index: 2, Err: &operation.PublicError{Text: "answered 404", Err: errors.Join(operation.PromptFailed, errors.New("https://secret.example/"))}}
	end := func(r operation.Result) func(*queue.Queue, *queuetest.Media) {
		return func(_ *queue.Queue, m *queuetest.Media) { m.Current().End(r) }
	}
	for _, test := range []struct {
		name string
		end  func(q *queue.Queue, m *queuetest.Media)
		opts []queuelog.Option
		want string
	}{
		{"its own end", end(operation.Result{Position: time.Second}), nil, of + "reason=succeeded code=200 subcode=0 waited=0s ran=1s position=1s"},
		{"a recording", end(operation.Result{Recording: operation.Recording{Location: "https://secret.example/", AccessToken: "secret"}}), nil, of + "reason=succeeded code=200 subcode=0 waited=0s ran=1s position=0s"},
		{"a cancel", func(q *queue.Queue, _ *queuetest.Media) {
			q.CancelAll(queue.ID(id(2)), queue.ClientContext("secret"))
		}, nil, of + "reason=cancelled code=400 subcode=8508 waited=0s ran=1s position=1.02s cause.kind=cancelMediaProcessing cause.id=00000000-0000-0000-0000-000000000002 silent=20ms"},
		{"a key", func(q *queue.Queue, _ *queuetest.Media) { q.Tone(tone.Event{Tone: tone.Tone5, Seq: 7}) }, nil, of + "reason=keyPressed code=200 subcode=8514 waited=0s ran=1s position=1.02s cause.tone_seq=7 silent=20ms"},
		{"an error", func(_ *queue.Queue, m *queuetest.Media) { m.Current().Fail(secret) }, nil, strings.Replace(of, "INFO", "WARN", 1) + `reason=promptFailed code=500 subcode=8511 waited=0s ran=1s position=0s detail="prompts[2]: answered 404"`},
		{"an error, whole", func(_ *queue.Queue, m *queuetest.Media) { m.Current().Fail(operation.BadFormat) }, []queuelog.Option{queuelog.WithErrors()}, of + `reason=badFormat code=400 subcode=8535 waited=0s ran=1s position=0s error="badFormat (400/8535)"`},
		{"a level", end(operation.Result{}), []queuelog.Option{queuelog.WithLevels(func(operation.Reason) slog.Level { return slog.LevelError })}, strings.Replace(of, "INFO", "ERROR", 1) + "reason=succeeded code=200 subcode=0 waited=0s ran=1s position=0s"},
		{"none below Warn", end(operation.Result{}), []queuelog.Option{queuelog.WithSampling(0), queuelog.WithLevels(nil)}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var b book
				m := &queuetest.Media{OnStop: func(t queue.Task) {
					time.Sleep(20 * time.Millisecond)
					t.End(operation.Result{Position: 1020 * time.Millisecond})
				}}
				q := newQueue(t, observer(t, b.logger(), test.opts...), m)
				if _, err := q.Enqueue(t.Context(), play(), queue.ID(id(1)), queue.ClientContext("secret")); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Second)
				test.end(q, m)
				time.Sleep(time.Second)
				synctest.Wait()
				if got := b.lines(); len(got) != 1 || got[0] != test.want {
					t.Errorf("got  %q\nwant %q", got, test.want)
				}
			})
		})
	}
}

// Media that is abandoned is worth a warning, also where nothing else is.
func TestAbandonedMediaIsAWarning(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var b book
		q := newQueue(t, observer(t, b.logger(), queuelog.WithSampling(0)), &queuetest.Media{OnStop: func(queue.Task) {}})
		for range 2 {
			if _, err := q.Enqueue(t.Context(), play()); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		q.CancelAll()
		time.Sleep(time.Minute)
		if got := b.lines(); len(got) != 1 || !strings.Contains(got[0], "level=WARN") || !strings.HasSuffix(got[0], "silent=5s abandoned=true") {
			t.Errorf("got %q", got)
		}
	})
}

// About the share that is asked for is logged, whether ids are random or numbers.
func TestAShareIsLogged(t *testing.T) {
	t.Parallel()
	for name, ids := range map[string]func(n int) uuid.UUID{
		"random": func(int) uuid.UUID { return uuid.New() },
		"numbers": func(n int) uuid.UUID {
			return uuid.UUID{14: byte(n >> 8), 15: byte(n)} //nolint:gosec // small
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var b book
				q := newQueue(t, observer(t, b.logger(), queuelog.WithSampling(.25)), &queuetest.Media{OnStart: func(t queue.Task) error {
					t.End(operation.Result{})
					return nil
				}})
				for n := range 1000 {
					if _, err := q.Enqueue(t.Context(), play(), queue.ID(ids(n))); err != nil {
						t.Fatal(err)
					}
					synctest.Wait()
				}
				if n := len(b.lines()); n < 150 || n > 350 {
					t.Errorf("%d of 1000 were logged, want about 250", n)
				}
			})
		})
	}
}

// hostile is a handler that blocks, or panics, on its first line.
type hostile struct {
	slog.Handler

	first *sync.Once
	do    func()
}

func (h hostile) Handle(ctx context.Context, r slog.Record) error {
	h.first.Do(h.do)
	return h.Handler.Handle(ctx, r)
}

// A handler that blocks or panics holds up no operation, no other call, and no line after it.
func TestAHandlerMayBlockOrPanic(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		block bool
		want  int // lines of three
	}{{"blocks", true, 3}, {"panics", false, 2}} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var b book
				release := make(chan struct{})
				h := hostile{b.logger().Handler(), new(sync.Once), func() {
					if !test.block {
						panic("no line")
					}
					<-release
				}}
				q := newQueue(t, observer(t, slog.New(h)), &queuetest.Media{OnStart: func(t queue.Task) error {
					t.End(operation.Result{})
					return nil
				}})
				for range 3 {
					op, err := q.Enqueue(t.Context(), play())
					if err != nil {
						t.Fatal(err)
					}
					if r, err := op.Wait(t.Context()); err != nil || r.Reason != operation.Succeeded {
						t.Errorf("got %v, %v", r.Reason, err)
					}
				}
				close(release)
				synctest.Wait()
				if got := b.lines(); len(got) != test.want {
					t.Errorf("%d lines, want %d: %q", len(got), test.want, got)
				}
			})
		})
	}
}

// function is a handler that is a function.
type function func(slog.Record)

func (f function) Enabled(context.Context, slog.Level) bool      { return true }
func (f function) Handle(_ context.Context, r slog.Record) error { f(r); return nil }
func (f function) WithAttrs([]slog.Attr) slog.Handler            { return f }
func (f function) WithGroup(string) slog.Handler                 { return f }

func TestWhatIsWrongIsAnError(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		logger *slog.Logger
		option queuelog.Option
		want   string
	}{
		{"no handler", new(slog.Logger), nil, "without a handler"},
		{"a nil handler", slog.New((*slog.TextHandler)(nil)), nil, "without a handler"},
		{"a handler that is a nil function", slog.New(function(nil)), nil, "without a handler"},
		{"too little", nil, queuelog.WithSampling(-.1), "WithSampling(-0.1): must be 0 to 1"},
		{"too much", nil, queuelog.WithSampling(1.1), "WithSampling(1.1): must be 0 to 1"},
		{"no number", nil, queuelog.WithSampling(math.NaN()), "WithSampling(NaN): must be 0 to 1"},
	} {
		if o, err := queuelog.New(test.logger, test.option, queuelog.WithSampling(1)); o != nil || err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %q", test.name, err, test.want)
		}
	}
	for _, share := range []float64{0, 1} {
		if _, err := queuelog.New(nil, nil, queuelog.WithSampling(share)); err != nil {
			t.Error(err)
		}
	}
}

func TestAZeroObserverSaysWhoMakesIt(t *testing.T) {
	t.Parallel()
	defer func() {
		if v, _ := recover().(string); !strings.Contains(v, "New did not make") {
			t.Errorf("it panics with %q", v)
		}
	}()
	new(queuelog.Observer).Observe(queue.Event{Kind: queue.Ended})
}
