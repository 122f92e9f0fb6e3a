package otelqueue

import (
	"slices"
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"ivrqueue/operation"
)

// MaxKinds is how many kinds of operations have names of their own in spans and metrics: those
// of package operation, and the first others. What comes after them is called "_OTHER", as the
// semantic conventions call it, so that a platform whose kinds are many does not make many
// series.
const MaxKinds = 32

const otherKind = "_OTHER"

// kind is what is counted of the operations of a kind.
type kind struct {
	name      string
	attribute attribute.KeyValue
	options   []metric.RecordOption // its attributes, made once

	accepted  atomic.Int64
	ended     [1 << 8]atomic.Int64 // by reason
	abandoned atomic.Int64
}

// kinds are the kinds that were seen. None is ever removed.
type kinds struct {
	byName sync.Map // of operation.Kind to *kind; read without a lock

	mu    sync.Mutex // guards the block below
	all   []*kind
	other *kind
}

func (k *kinds) init() {
	k.other = newKind(otherKind)
	for _, known := range []operation.Kind{
		operation.KindPlayPrompt, operation.KindRecordResponse, operation.KindSendTones,
		operation.KindCancelMediaProcessing,
	} {
		k.add(known)
	}
}

func newKind(name string) *kind {
	k := &kind{name: name, attribute: operationKind.String(name)}
	k.options = []metric.RecordOption{metric.WithAttributeSet(attribute.NewSet(k.attribute))}
	return k
}

// of returns the kind of an operation.
func (k *kinds) of(op *operation.Operation) *kind {
	name := nameOf(op)
	if found, ok := k.byName.Load(name); ok {
		return found.(*kind) //nolint:forcetypeassert // nothing else is in there
	}
	return k.add(name)
}

// nameOf asks the request, which may be code of others, for its kind.
func nameOf(op *operation.Operation) (name operation.Kind) {
	defer func() {
		if recover() != nil {
			name = otherKind
		}
	}()
	return op.Kind()
}

// add adds a kind, if there may be another one.
func (k *kinds) add(name operation.Kind) *kind {
	k.mu.Lock()
	defer k.mu.Unlock()
	if found, ok := k.byName.Load(name); ok {
		return found.(*kind) //nolint:forcetypeassert // likewise
	}
	if len(k.all) == MaxKinds || name == otherKind {
		return k.other
	}
	added := newKind(string(name))
	k.all = append(k.all, added)
	k.byName.Store(name, added)
	return added
}

// list returns all kinds that were seen, and the one for the rest.
func (k *kinds) list() []*kind {
	k.mu.Lock()
	defer k.mu.Unlock()
	return append(slices.Clip(k.all), k.other)
}
