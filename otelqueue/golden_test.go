package otelqueue_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/queue/queuetest"
	"ivrqueue/tone"
)

// golden compares with a file of testdata; with GOLDEN=write it writes it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if os.Getenv("GOLDEN") == "write" {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// The spans and metrics of a call: what was played, what barged in, what was cancelled and
// recorded. Media takes 20 ms to fall silent, or never does.
func TestACallIsTraced(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		w := watch(t)
		tracer := w.tracer.Tracer("platform")
		ctx, call := tracer.Start(context.Background(), "call")
		c := newCall(t, w)

		c.enqueue(ctx, play(), 1) // is heard
		time.Sleep(time.Second)
		c.media.Current().End(operation.Result{})
		synctest.Wait()

		c.enqueue(ctx, play(), 2) // what barges in ends two, of which one waits
		c.enqueue(ctx, play(), 3)
		time.Sleep(time.Second)
		c.enqueue(ctx, &operation.RecordResponse{BargeIn: true}, 4)
		time.Sleep(time.Second)

		_, request := tracer.Start(context.Background(), "POST cancelMediaProcessing")
		c.queue.CancelAll(queue.ID(id(5)), queue.Context(trace.ContextWithSpan(context.Background(), request)))
		time.Sleep(time.Second)
		request.End()

		c.enqueue(ctx, &operation.PlayPrompt{Prompts: play().Prompts, StopTones: tone.SetOf(tone.Tone4)}, 6) // a key
		time.Sleep(time.Second)
		if _, err := c.tones.Publish(tone.Tone4); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)

		c.enqueue(ctx, &operation.RecordResponse{}, 7) // records to its own end
		time.Sleep(time.Second)
		c.media.Current().End(operation.Result{Reason: operation.MaxSilence, Position: 900 * time.Millisecond, Recording: operation.Recording{Location: "https://secret.example/", AccessToken: "secret"}})
		synctest.Wait()

		c.enqueue(ctx, play(), 8) // fails
		c.media.Current().Fail(&operation.PromptError{Err: operation.PromptFailed})
		synctest.Wait()

		c.deaf = true
		c.enqueue(ctx, play(), 9) // never falls silent, and the call ends
		c.enqueue(context.Background(), play(), 10)
		time.Sleep(time.Second)
		c.queue.Close(nil)
		<-c.queue.Done()
		call.End()
		c.tones.End()
		synctest.Wait()
		golden(t, "spans.txt", describe(w.spans.GetSpans(), began))
		golden(t, "metrics.txt", describeMetrics(w.metrics()))
		c.media.Current().End(operation.Result{})
	})
}

// scripted is a call with scripted media.
type scripted struct {
	tb    testing.TB
	queue *queue.Queue
	tones tone.Stream
	media *queuetest.Media
	deaf  bool // its media does not hear Stop
}

func newCall(tb testing.TB, w *watched) *scripted {
	tb.Helper()
	c := &scripted{tb: tb}
	c.media = &queuetest.Media{OnStop: func(t queue.Task) {
		if !c.deaf {
			time.Sleep(20 * time.Millisecond)
			t.End(operation.Result{Position: 980 * time.Millisecond})
		}
	}}
	c.queue = w.queue("call-1", c.media)
	if _, err := c.tones.Handle(tone.All, func(e tone.Event) {
		w.Tone(e)
		c.queue.Tone(e)
	}); err != nil {
		tb.Fatal(err)
	}
	return c
}

func id(n byte) uuid.UUID { return uuid.UUID{15: n} }

func (c *scripted) enqueue(ctx context.Context, r operation.Request, n byte) {
	c.tb.Helper()
	if _, err := c.queue.Enqueue(ctx, r, queue.ID(id(n)), queue.ClientContext("secret")); err != nil {
		c.tb.Fatal(err)
	}
	synctest.Wait()
}

// describe writes spans for people, in the order in which they began.
func describe(spans tracetest.SpanStubs, began time.Time) string {
	slices.SortStableFunc(spans, func(a, b tracetest.SpanStub) int {
		return strings.Compare(a.SpanContext.SpanID().String(), b.SpanContext.SpanID().String())
	})
	at := func(t time.Time) string { return t.Sub(began).String() }
	short := func(c trace.SpanContext) string {
		if !c.IsValid() {
			return "none"
		}
		return strings.TrimLeft(c.TraceID().String(), "0") + "/" + strings.TrimLeft(c.SpanID().String(), "0")
	}
	var b strings.Builder
	for _, s := range spans {
		fmt.Fprintf(&b, "%s %s, parent %s, %s to %s\n", short(s.SpanContext), s.Name, short(s.Parent), at(s.StartTime), at(s.EndTime))
		if s.Status.Code != codes.Unset {
			fmt.Fprintf(&b, "  status %v: %s\n", s.Status.Code, s.Status.Description)
		}
		for _, a := range s.Attributes {
			fmt.Fprintf(&b, "  %s = %s\n", a.Key, a.Value.String())
		}
		for _, l := range s.Links {
			fmt.Fprintf(&b, "  link to %s\n", short(l.SpanContext))
		}
		for _, e := range s.Events {
			fmt.Fprintf(&b, "  at %s %s%s\n", at(e.Time), e.Name, attributes(e.Attributes))
		}
	}
	return b.String()
}

func attributes(all []attribute.KeyValue) string {
	var b strings.Builder
	for _, a := range all {
		fmt.Fprintf(&b, " %s=%s", a.Key, a.Value.String())
	}
	return b.String()
}

// describeMetrics writes metrics for people.
func describeMetrics(all []metricdata.Metrics) string {
	var lines []string
	for _, m := range all {
		add := func(set attribute.Set, format string, args ...any) {
			lines = append(lines, fmt.Sprintf("%s%s (%s) = %s\n", m.Name, attributes(set.ToSlice()), m.Unit, fmt.Sprintf(format, args...)))
		}
		switch d := m.Data.(type) {
		case metricdata.Sum[int64]:
			for _, p := range d.DataPoints {
				add(p.Attributes, "%d", p.Value)
			}
		case metricdata.Histogram[float64]:
			for _, p := range d.DataPoints {
				add(p.Attributes, "%d times, %.3g in all", p.Count, p.Sum)
			}
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "")
}
