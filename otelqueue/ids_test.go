package otelqueue_test

import (
	"context"
	"encoding/binary"
	"sync/atomic"

	"go.opentelemetry.io/otel/trace"
)

// counting numbers traces and spans, so that a golden file may name them.
type counting struct{ traces, spans atomic.Uint64 }

func (c *counting) NewIDs(ctx context.Context) (id trace.TraceID, span trace.SpanID) {
	binary.BigEndian.PutUint64(id[8:], c.traces.Add(1))
	return id, c.NewSpanID(ctx, id)
}

func (c *counting) NewSpanID(context.Context, trace.TraceID) (id trace.SpanID) {
	binary.BigEndian.PutUint64(id[:], c.spans.Add(1))
	return id
}
