package ari_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"ivrqueue/examples/adapters/ari"
	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/tone"
)

// soon has breaks noticed and checks made within a test's patience. It takes a machine that is held up
// for a break: steady does not.
var (
	soon   = ari.Config{RequestTimeout: time.Minute, CheckInterval: 5 * shortly}
	steady = ari.Config{RequestTimeout: time.Minute, CheckInterval: unanswered}
)

func TestABreakFailsNothingThatGoesOn(t *testing.T) {
	t.Parallel()
	s := newStandIn(t)
	c := connectWith(t, s, steady)
	op := enqueue(t, newQueue(t, c.Media("ch-1")), "long")
	<-s.begun
	s.cut()
	s.reconnected(t)
	before := s.asked("GET /ari/playbacks/")
	waitUntil(t, "it is asked for twice", func() bool {
		return s.asked("GET /ari/playbacks/") >= before+2
	})
	if got := op.Status(); got != operation.Running {
		t.Errorf("after the break it is %v", got)
	}
	s.endAll()
	if _, err := op.Wait(within(t)); err != nil {
		t.Errorf("its end after the break: %v", err)
	}
}

func TestWhatEndedDuringABreakIsEnded(t *testing.T) {
	t.Parallel()
	s := newStandIn(t)
	c := connectWith(t, s, soon)
	played := enqueue(t, newQueue(t, c.Media("ch-1")), "long")
	hungUp := enqueue(t, newQueue(t, c.Media("ch-2")), "long")
	recorded := record(t, newQueue(t, c.Media("ch-3")), &operation.RecordResponse{})
	for range 3 {
		<-s.begun
	}
	s.mu.Lock()
	s.gone["ch-2"] = true
	s.mu.Unlock()
	s.refuse(http.StatusServiceUnavailable) // nobody gets an event
	s.cut()
	s.endAll()
	s.refuse(0)
	if _, err := played.Wait(within(t)); !errors.Is(err, operation.Unspecified) ||
		!strings.Contains(err.Error(), "ended unseen") {
		t.Errorf("a playback: %v", err)
	}
	if _, err := hungUp.Wait(within(t)); !errors.Is(err, operation.CallEnded) {
		t.Errorf("a playback of a channel that is gone: %v", err)
	}
	r, err := recorded.Wait(within(t))
	if err != nil || !strings.HasSuffix(r.Recording.Location, recorded.ID().String()+"/file") {
		t.Errorf("a recording: %+v, %v", r, err)
	}
}

func TestAnOutageThatIsTooLongFailsWhatIsInProgressAndTheClientComesBack(t *testing.T) {
	t.Parallel()
	s := newStandIn(t)
	c := connectWith(t, s, ari.Config{RequestTimeout: time.Minute, MaxOutage: shortly})
	var ops []*operation.Operation
	for _, channel := range []string{"ch-1", "ch-2", "ch-3"} {
		ops = append(ops, enqueue(t, newQueue(t, c.Media(channel)), "long"))
		<-s.begun
	}
	s.refuse(http.StatusServiceUnavailable)
	s.cut()
	for i, op := range ops {
		if _, err := op.Wait(within(t)); !errors.Is(err, operation.Unspecified) ||
			!strings.Contains(err.Error(), "no event stream") {
			t.Errorf("operation %d ended: %v", i, err)
		}
	}
	s.refuse(0)
	if _, err := enqueue(t, newQueue(t, c.Media("ch-4")), "short").Wait(within(t)); err != nil {
		t.Errorf("after the outage: %v", err)
	}
}

func TestAStartWaitsForTheEventStreamAndNotForEver(t *testing.T) {
	t.Parallel()
	s := newStandIn(t)
	c := connectWith(t, s, ari.Config{RequestTimeout: unanswered})
	s.refuse(http.StatusServiceUnavailable)
	s.cut()
	waitUntil(t, "the break is noticed", func() bool { return s.asked("GET /ari/events") > 1 })
	op := enqueue(t, newQueue(t, c.Media("ch-1")), "short")
	if _, err := op.Wait(within(t)); err == nil || !strings.Contains(err.Error(), "no event stream") {
		t.Errorf("without a stream it ended: %v", err)
	}
	if n := len(s.begun); n != 0 {
		t.Errorf("%d playbacks have begun", n)
	}
}

// A stop is answered by the server's answer alone while no event would report the end.
func TestAStopDuringABreakIsAnswered(t *testing.T) {
	t.Parallel()
	s := newStandIn(t)
	c := connectWith(t, s, ari.Config{RequestTimeout: time.Minute})
	q := newQueue(t, c.Media("ch-1"), queue.WithStopTimeout(time.Hour))
	op := enqueue(t, q, "long")
	<-s.begun
	s.refuse(http.StatusServiceUnavailable)
	s.cut()
	waitUntil(t, "the break is noticed", func() bool { return s.asked("GET /ari/events") > 1 })
	q.CancelAll()
	select {
	case <-op.Released():
	case <-within(t).Done():
		t.Error("it was not released")
	}
}

// However an event stream goes wrong, the client comes to its senses, and what plays is ended.
func TestAStreamThatGoesWrongIsGivenUp(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		// spoil does something to the stream, on which no other event can follow.
		spoil func(ctx context.Context, s *standIn) error
	}{
		{"by an event that does not come to its end", func(ctx context.Context, s *standIn) error {
			w, err := s.conn.Writer(ctx, websocket.MessageText)
			if err == nil {
				_, err = w.Write([]byte(`{"type":"PlaybackFin`))
			}
			return err
		}},
		{"by an event without a bound", func(ctx context.Context, s *standIn) error {
			_ = s.conn.Write(ctx, websocket.MessageText, make([]byte, 17<<20))
			return nil // it may not be taken whole
		}},
		{"by the server's farewell", func(_ context.Context, s *standIn) error {
			go func() { _ = s.conn.Close(websocket.StatusGoingAway, "restart") }()
			return nil
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newStandIn(t)
			c := connectWith(t, s, steady)
			op := enqueue(t, newQueue(t, c.Media("ch-1")), "long")
			<-s.begun
			s.mu.Lock()
			err := test.spoil(within(t), s)
			s.mu.Unlock()
			if err != nil {
				t.Fatal(err)
			}
			s.reconnected(t)
			s.endAll()
			if _, err := op.Wait(within(t)); err != nil {
				t.Errorf("ended: %v", err)
			}
		})
	}
}

func TestAServerThatIsSilentIsLeft(t *testing.T) {
	t.Parallel()
	s := newStandIn(t)
	s.silent = true
	connectWith(t, s, soon)
	s.reconnected(t)
}

func TestWhatIsNoEventIsIgnored(t *testing.T) {
	t.Parallel()
	s := newStandIn(t)
	var log logged
	config := steady
	config.Log = log.logger()
	c := connectWith(t, s, config)
	stream := &tone.Stream{}
	t.Cleanup(stream.End)
	t.Cleanup(c.Listen("ch-1", stream))
	op := enqueue(t, newQueue(t, c.Media("ch-1")), "long")
	<-s.begun
	for _, text := range []string{
		"", "\x00", "null", "[]", `"PlaybackFinished"`, `{"type":1}`, `{"type":""}`,
		`{"type":"PlaybackFinished"}`, `{"type":"PlaybackFinished","playback":null}`,
		`{"type":"PlaybackFinished","playback":{"id":"` + op.ID().String() + `x"}}`,
		`{"type":"RecordingFinished","recording":{"name":"elsewhere","state":"done"}}`,
		`{"type":"RecordingStarted"}`, `{"type":"StasisEnd"}`, `{"type":"ApplicationReplaced"}`,
		`{"type":"ChannelDtmfReceived"}`, `{"type":"ChannelDtmfReceived","digit":"E"}`,
		`{"type":"ChannelDtmfReceived","digit":"12","channel":{"id":"ch-1"}}`,
		strings.Repeat(`{"playback":`, 5000),
	} {
		s.send([]byte(text))
	}
	if _, err := enqueue(t, newQueue(t, c.Media("ch-2")), "short").Wait(within(t)); err != nil {
		t.Errorf("what comes next: %v", err)
	}
	if got := op.Status(); got != operation.Running {
		t.Errorf("what plays is %v", got)
	}
	if n := log.count("no event"); n != 1 {
		t.Errorf("it was logged %d times, want once for a connection", n)
	}
	if n := log.count("another client"); n != 1 {
		t.Errorf("that the application was replaced was logged %d times", n)
	}
}

// An event that is too long is lost, and logged, and nothing else is: what plays goes on, on this
// channel and on others, and what comes next is played.
func TestAnEventThatIsTooLongIsLostAloneAndTold(t *testing.T) {
	t.Parallel()
	for name, size := range map[string]int{"by a byte": 1, "by far": 1 << 20} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStandIn(t)
			var log logged
			c := connectWith(t, s, ari.Config{RequestTimeout: time.Minute, Log: log.logger()})
			one, other := newQueue(t, c.Media("ch-1")), newQueue(t, c.Media("ch-2"))
			playing := enqueue(t, other, "long")
			<-s.begun
			around := `{"type":"ChannelVarset","value":""}`
			s.send([]byte(strings.Replace(around, `""`,
				`"`+strings.Repeat("x", ari.MaxEvent-len(around)+size)+`"`, 1)))
			if _, err := enqueue(t, one, "short").Wait(within(t)); err != nil {
				t.Errorf("what comes next: %v", err)
			}
			if got := playing.Status(); got != operation.Running {
				t.Errorf("what plays is %v", got)
			}
			if n := log.count("event lost"); n != 1 {
				t.Errorf("it was logged %d times", n)
			}
		})
	}
}

func TestAPlaybackThatNeverEndsIsEnded(t *testing.T) {
	t.Parallel()
	s := newStandIn(t)
	c := connectWith(t, s, soon)
	op := enqueue(t, newQueue(t, c.Media("ch-1")), "unending")
	if _, err := op.Wait(within(t)); !errors.Is(err, operation.Unspecified) {
		t.Errorf("ended: %v", err)
	}
}

func TestAServerThatTellsNoStateIsNotBelievedForEver(t *testing.T) {
	t.Parallel()
	s := newStandIn(t)
	s.failing = true
	c := connectWith(t, s, soon)
	op := enqueue(t, newQueue(t, c.Media("ch-1")), "long")
	if _, err := op.Wait(within(t)); err == nil || !strings.Contains(err.Error(), "report its state") {
		t.Errorf("ended: %v", err)
	}
}

func TestCloseFailsWhatIsInProgress(t *testing.T) {
	t.Parallel()
	s := newStandIn(t)
	c := connectWith(t, s, soon)
	q := newQueue(t, c.Media("ch-1"))
	op := enqueue(t, q, "long")
	<-s.begun
	c.Close()
	c.Close()
	if _, err := op.Wait(within(t)); err == nil || !strings.Contains(err.Error(), "client is closed") {
		t.Errorf("ended: %v", err)
	}
	if _, err := enqueue(t, q, "short").Wait(within(t)); err == nil {
		t.Error("a closed client plays")
	}
}

func TestManyChannelsAtOnce(t *testing.T) {
	t.Parallel()
	s := newStandIn(t)
	c := connectWith(t, s, ari.Config{RequestTimeout: time.Minute})
	var all sync.WaitGroup
	for range 300 {
		all.Go(func() {
			q, err := queue.New("call", c.Media("ch"))
			if err != nil {
				t.Error(err)
				return
			}
			op, err := q.Enqueue(t.Context(), play("short"))
			if err == nil {
				_, err = op.Wait(within(t))
			}
			if err != nil {
				t.Error(err)
			}
			q.Close(nil)
			<-q.Done()
		})
	}
	all.Wait()
}

// logged is a log that is kept.
type logged struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logged) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logged) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), text)
}

// waitUntil waits for what another goroutine does behind a socket, where there is nothing else to
// wait for.
func waitUntil(t testing.TB, what string, holds func() bool) {
	t.Helper()
	ticker := time.NewTicker(shortly / 4)
	defer ticker.Stop()
	for ctx := within(t); !holds(); {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			t.Fatal("never: " + what)
		}
	}
}
