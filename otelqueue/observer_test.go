package otelqueue_test

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"ivrqueue/operation"
	"ivrqueue/otelqueue"
	"ivrqueue/queue"
	"ivrqueue/queue/queuetest"
	"ivrqueue/tone"
)

// foreign is a request of a platform's own kind.
type foreign struct {
	kind   operation.Kind
	panics *atomic.Bool
}

func (f foreign) Kind() operation.Kind {
	if f.panics != nil && f.panics.Load() {
		panic("no kind")
	}
	return f.kind
}

func (foreign) Validate() error { return nil }

// atOnceMedia ends every operation in Start.
func atOnceMedia() *queuetest.Media {
	return &queuetest.Media{OnStart: func(t queue.Task) error {
		t.End(operation.Result{})
		return nil
	}}
}

// series returns how many series there are: of histograms, with a series for each bucket.
func (w *watched) series() (n int) {
	for _, m := range w.metrics() {
		switch d := m.Data.(type) {
		case metricdata.Sum[int64]:
			n += len(d.DataPoints)
		case metricdata.Histogram[float64]:
			for _, p := range d.DataPoints {
				n += len(p.BucketCounts)
			}
		}
	}
	return n
}

// The series of the metrics do not grow with calls, nor with the kinds of a platform that has
// many, nor do the names of spans.
func TestTheSeriesDoNotGrow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := watch(t)
		round := func(n int) {
			for i := range 200 {
				q := w.queue(fmt.Sprintf("call-%d-%d", n, i), atOnceMedia())
				for _, r := range []operation.Request{play(), foreign{kind: operation.Kind(fmt.Sprint("kind-", n, "-", i))}} {
					if _, err := q.Enqueue(t.Context(), r, queue.ClientContext(strconv.Itoa(i))); err != nil {
						t.Fatal(err)
					}
				}
				synctest.Wait() // so that all end for one reason
				q.Close(nil)
				<-q.Done()
			}
		}
		round(1)
		before := w.series()
		for n := 2; n < 5; n++ {
			round(n)
		}
		if after := w.series(); before == 0 || after != before {
			t.Errorf("%d series after 200 calls, %d after 800", before, after)
		}
		names := make(map[string]bool)
		for _, s := range w.spans.GetSpans() {
			names[s.Name] = true
		}
		if len(names) > otelqueue.MaxKinds+1 {
			t.Errorf("%d names of spans", len(names))
		}
	})
}

// A request whose Kind panics later, and a context of Enqueue whose values do, cost the operation
// nothing, and leave nothing uncounted.
func TestCodeOfOthersMayPanic(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := watch(t, otelqueue.WithParent(func(*queue.Queue) context.Context { panic("no parent") }),
			otelqueue.WithCalls(func() int { panic("no calls") }))
		media := new(queuetest.Media)
		q := w.queue("call-1", media)
		var broken atomic.Bool
		for _, ctx := range []context.Context{t.Context(), panicking{t.Context()}} {
			broken.Store(false)
			if _, err := q.Enqueue(ctx, foreign{"menu", &broken}); err != nil {
				t.Fatal(err)
			}
			broken.Store(true)
			synctest.Wait()
			media.Current().End(operation.Result{})
			synctest.Wait()
		}
		if n := len(w.spans.GetSpans()); n != 2 {
			t.Errorf("%d spans, want 2", n)
		}
		if got := describeMetrics(w.metrics()); !strings.Contains(got, "ivrqueue.operations.accepted") || !strings.Contains(got, "kind=menu ({operation}) = 0") && !strings.Contains(got, "kind=_OTHER ({operation}) = 0") {
			t.Errorf("got\n%s", got)
		}
	})
}

// panicking is a context whose values panic, once it was enqueued with.
type panicking struct{ context.Context }

func (panicking) Value(any) any { panic("no values") }

// A context of Enqueue that has a span, and panics when an operation asks it, is no other case.
func TestAContextMayRefuseToBeAttachedTo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := watch(t)
		q := w.queue("call-1", atOnceMedia())
		if _, err := q.Enqueue(picky{t.Context()}, play()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		got := describeMetrics(w.metrics())
		if n := len(w.spans.GetSpans()); n != 1 || !strings.Contains(got, "pending ivrqueue.operation.kind=playPrompt ({operation}) = 0") {
			t.Errorf("%d spans, and\n%s", n, got)
		}
	})
}

// picky is a context that panics for keys of package operation.
type picky struct{ context.Context }

func (p picky) Value(key any) any {
	if strings.HasPrefix(fmt.Sprintf("%T", key), "operation.") {
		panic("no such key")
	}
	return p.Context.Value(key)
}

// What the media does in the operation's context is below the operation's span, and that is below
// the one of the call if Enqueue's context has none.
func TestASpanHasItsParentAndItsChildren(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var call context.Context
		w := watch(t, otelqueue.WithParent(func(*queue.Queue) context.Context { return call }))
		tracer := w.tracer.Tracer("platform")
		call, above := tracer.Start(context.Background(), "call")
		q := w.queue("call-1", queue.Blocking(func(ctx context.Context, _ queue.Active) (operation.Result, error) {
			_, span := tracer.Start(ctx, "download")
			span.End()
			return operation.Result{}, nil
		}))
		if _, err := q.Enqueue(context.Background(), play()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		above.End()
		parents := make(map[string]trace.SpanID)
		ids := make(map[string]trace.SpanID)
		for _, s := range w.spans.GetSpans() {
			parents[s.Name], ids[s.Name] = s.Parent.SpanID(), s.SpanContext.SpanID()
		}
		if parents["download"] != ids["playPrompt"] || parents["playPrompt"] != ids["call"] || !ids["call"].IsValid() {
			t.Errorf("the parents are %v of %v", parents, ids)
		}
	})
}

// Media that reports inside Stop, and an observer that gets all events late, lose no event of a
// span and end each exactly once.
func TestEverySpanEndsOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := watch(t)
		lag := make(chan struct{})
		q := w.queue("call-1", new(queuetest.Media))
		other, err := queue.New("call-2", new(queuetest.Media), queue.WithObserver(queue.ObserverFunc(func(e queue.Event) {
			<-lag
			w.Observe(e)
		})))
		if err != nil {
			t.Fatal(err)
		}
		for range 10 {
			for range 3 {
				for _, q := range []*queue.Queue{q, other} {
					if _, err := q.Enqueue(t.Context(), play()); err != nil {
						t.Fatal(err)
					}
				}
			}
			time.Sleep(3 * time.Millisecond) // the watch looks twice
			synctest.Wait()
			q.CancelAll()
			other.CancelAll()
			time.Sleep(3 * time.Millisecond)
			synctest.Wait()
		}
		close(lag)
		q.Close(nil)
		other.Close(nil)
		<-q.Done()
		<-other.Done()
		ids, released := make(map[attribute.Value]bool), 0
		for _, s := range w.spans.GetSpans() {
			for _, a := range s.Attributes {
				if a.Key == "ivrqueue.operation.id" {
					if ids[a.Value] {
						t.Errorf("two spans of %s", a.Value.String())
					}
					ids[a.Value] = true
				}
			}
			for _, e := range s.Events {
				if e.Name == "released" {
					released++
				}
			}
			if s.Name == "playPrompt" && len(s.Links) != 1 {
				t.Errorf("%d links", len(s.Links))
			}
		}
		if len(ids) != 80 || released != 20 { // 60 plays and 20 cancels
			t.Errorf("%d spans, %d releases, want 80 and 20", len(ids), released)
		}
	})
}

// A call in which nothing happens costs nothing, nor does one that has ended.
func TestOneObserverServesManyCallsAtOnce(t *testing.T) {
	t.Parallel()
	w := watch(t)
	const calls, each = 50, 20
	var all sync.WaitGroup
	for i := range calls {
		all.Go(func() {
			q, err := queue.New(fmt.Sprint("call-", i), new(queuetest.Media), queue.WithObserver(w))
			if err != nil {
				t.Error(err)
				return
			}
			for n := range each {
				if _, err := q.Enqueue(t.Context(), &operation.RecordResponse{BargeIn: n%3 == 0}); err != nil {
					t.Error(err)
				}
			}
			q.Close(nil)
			<-q.Done()
		})
	}
	all.Wait()
	if n := len(w.spans.GetSpans()); n != calls*each {
		t.Errorf("%d spans, want %d", n, calls*each)
	}
	for _, m := range w.metrics() {
		d, ok := m.Data.(metricdata.Sum[int64])
		if !ok {
			continue
		}
		var sum int64
		for _, p := range d.DataPoints {
			sum += p.Value
		}
		want := map[string]int64{
			"ivrqueue.operations.accepted": calls * each, "ivrqueue.operations.ended": calls * each, "ivrqueue.operations.pending": 0,
		}
		if n, ok := want[m.Name]; ok && sum != n {
			t.Errorf("%s is %d, want %d", m.Name, sum, n)
		}
	}
}

func TestProvidersThatAreNilAreErrors(t *testing.T) {
	t.Parallel()
	var tracers *sdktrace.TracerProvider
	var meters *sdkmetric.MeterProvider
	for _, test := range []struct {
		name   string
		option otelqueue.Option
		want   string
	}{
		{"tracers", otelqueue.WithTracerProvider(tracers), "WithTracerProvider: nil provider (*trace.TracerProvider)"},
		{"meters", otelqueue.WithMeterProvider(meters), "WithMeterProvider: nil provider (*metric.MeterProvider)"},
	} {
		if o, err := otelqueue.New(test.option, otelqueue.WithTracerProvider(nil), otelqueue.WithMeterProvider(nil)); o != nil || err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v", test.name, err)
		}
	}
	o, err := otelqueue.New(nil, otelqueue.WithTracerProvider(nil), otelqueue.WithMeterProvider(nil))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := o.Close(); err != nil {
			t.Error(err)
		}
	}
}

// Tones are counted, with those that were lost, and media that reports late.
func TestTonesAndLateReportsAreCounted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := watch(t, otelqueue.WithCalls(func() int { return 7 }))
		w.Tone(tone.Event{Seq: 11, Lost: 10, Tone: tone.Tone1})
		m := &queuetest.Media{OnStop: func(queue.Task) {}}
		q := w.queue("call-1", m, queue.WithStopTimeout(time.Second))
		if _, err := q.Enqueue(t.Context(), play()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		q.CancelAll()
		time.Sleep(time.Minute)
		m.Current().End(operation.Result{})
		synctest.Wait()
		got := describeMetrics(w.metrics())
		for _, want := range []string{
			"ivrqueue.tones.published ({tone}) = 11\n", "ivrqueue.tones.lost ({tone}) = 10\n",
			"ivrqueue.calls.live ({call}) = 7\n", "ivrqueue.media.late ({operation}) = 1\n",
			"ivrqueue.media.abandoned ivrqueue.operation.kind=playPrompt ({operation}) = 1\n",
		} {
			if !strings.Contains(got, want) {
				t.Errorf("there is no %s in\n%s", want, got)
			}
		}
	})
}
