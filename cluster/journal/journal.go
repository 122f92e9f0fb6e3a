package journal

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"ivrqueue/cluster/callid"
	"ivrqueue/graph"
	"ivrqueue/internal/foreign"
)

// Options are what a journal is made of. All are required but Logger.
type Options struct {
	Bucket   string        // letters, digits, - and _
	Node     string        // the name of this node
	Replicas int           // of the bucket: 1, 3 or 5
	Ledger   *graph.Ledger // of the calls of this node

	// Holds reports whether this node may write for calls of an owner: whether its lease holds.
	Holds func(callid.Owner) bool

	// Others returns the names of the other nodes that live: each has a journal with the same bucket,
	// and the mirror of each is to have what somebody waits for. It is called often. Default: there
	// are none, and what somebody waits for is to be in the bucket.
	Others func() []string

	// Majority is how many of the others are a majority with this node; 0 if there are none.
	Majority int

	// Durable has what somebody waits for be in the bucket, too.
	Durable bool

	Logger *slog.Logger // default: slog.Default

	reuse  time.Duration // see slots; default: reuseAfter
	agree  time.Duration // default: agreeTimeout
	silent time.Duration // default: silentAfter
}

// Stats are counts of a journal.
type Stats struct {
	Opened    bool   // the bucket was read
	Available bool   // the bucket was reached with the last write
	Records   int    // of all nodes, those that are confirmed of this one
	Waiting   int    // calls whose change is not written
	Batches   uint64 // messages with records that were written
	Written   uint64 // records in them
	Shown     uint64 // records that all other nodes had before they were written
	Purged    uint64 // calls
	Failed    uint64 // writes, which are repeated
	Foreign   uint64 // changes of calls whose id is none of this cluster's: they are not kept
	TooLarge  uint64 // records that are larger than the servers take: they are not kept
}

// times of a journal.
const (
	writeTimeout = time.Second            // of one write
	silentAfter  = 250 * time.Millisecond // without an answer of a node to what it was shown
	answersLate  = 4 * time.Second        // of nodes to what they were shown: they count until then
	sweepEvery   = 500 * time.Millisecond // for what nobody waits for, and for another try
	giveUpAfter  = time.Second            // without a success, until nobody waits any more
	loadTimeout  = 15 * time.Second       // of reading the bucket
	reuseAfter   = loadTimeout            // of a slot that is free: see slots
	markerTTL    = time.Minute            // of what is left in the place of an erased value
)

// Journal keeps what calls owe. It is made by [Open], and ended by Close.
type Journal struct {
	options  Options
	conn     *nats.Conn
	js       jetstream.JetStream
	sub      *nats.Subscription // of what passes by on its way to JetStream
	seen     *nats.Subscription // of what others show
	asked    *nats.Subscription // of what others ask about a dead life
	mirror   mirror
	writer   *writer
	opened   chan struct{} // closed when the bucket was read for the first time
	unpacked []byte        // the last batch that was seen, for the one goroutine that sees them
	loading  sync.Mutex    // one reads it at a time

	available                        atomic.Bool
	records, waiting, tracked        atomic.Int64
	batches, written, purged, failed atomic.Uint64
	foreign, tooLarge, shown         atomic.Uint64

	stop  context.CancelFunc
	loops sync.WaitGroup
}

// String names the node and the bucket, for logs: what is given to package fmt would be read by
// reflection otherwise, while it changes.
func (j *Journal) String() string {
	return fmt.Sprintf("journal of %s in %s", j.options.Node, j.options.Bucket)
}

// Open begins to keep, over a connection that stays the caller's. It does not wait for JetStream:
// see Opened.
func Open(conn *nats.Conn, o Options) (*Journal, error) {
	switch {
	case conn == nil:
		return nil, errors.New("journal: nil connection")
	case o.Ledger == nil || o.Holds == nil:
		return nil, errors.New("journal: Ledger and Holds must not be nil")
	case o.Bucket == "" || o.Node == "" || strings.ContainsAny(o.Bucket+o.Node, ". *>\t"):
		return nil, fmt.Errorf("journal: bucket %q and node %q must not be empty, nor have any of "+
			". * > or blanks", o.Bucket, o.Node)
	case o.Replicas < 1 || o.Replicas > 5:
		return nil, fmt.Errorf("journal: %d replicas, must be 1 to 5", o.Replicas)
	case (o.Others == nil) != (o.Majority == 0) || o.Majority < 0:
		return nil, fmt.Errorf("journal: Majority is %d, must be more than 0 with Others, 0 without",
			o.Majority)
	case foreign.NoHandler(o.Logger):
		return nil, errors.New("journal: Logger has no handler")
	}
	o.Logger = foreign.Logger(o.Logger)
	o.reuse = cmp.Or(o.reuse, reuseAfter)
	o.agree, o.silent = cmp.Or(o.agree, agreeTimeout), cmp.Or(o.silent, silentAfter)
	js, err := jetstream.New(conn)
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	j := &Journal{options: o, conn: conn, js: js, opened: make(chan struct{})}
	if j.writer, err = newWriter(j); err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	if j.sub, err = conn.Subscribe(j.subject(">"), j.passBy); err != nil {
		return nil, fmt.Errorf("journal: %w", errors.Join(err, j.writer.sub.Unsubscribe()))
	}
	if j.seen, err = conn.Subscribe(o.Bucket+"."+shownToken+".>", j.see); err != nil {
		return nil, fmt.Errorf("journal: %w",
			errors.Join(err, j.writer.sub.Unsubscribe(), j.sub.Unsubscribe()))
	}
	if j.asked, err = conn.Subscribe(o.Bucket+"."+knownToken+".>", j.answerKnown); err != nil {
		return nil, fmt.Errorf("journal: %w",
			errors.Join(err, j.writer.sub.Unsubscribe(), j.sub.Unsubscribe(), j.seen.Unsubscribe()))
	}
	ctx, stop := context.WithCancel(context.Background())
	j.stop = stop
	j.loops.Go(func() { j.open(ctx) })
	j.loops.Go(func() { j.writer.run(ctx) })
	return j, nil
}

// Opened returns a channel that is closed when the mirror is whole: the bucket is there, and was
// read.
func (j *Journal) Opened() <-chan struct{} { return j.opened }

// Stats returns the counts of this moment.
func (j *Journal) Stats() Stats {
	opened := false
	select {
	case <-j.opened:
		opened = true
	default:
	}
	return Stats{
		Opened: opened, Available: j.available.Load(),
		Records: j.mirror.size() + int(j.records.Load()), Waiting: int(j.waiting.Load()),
		Batches: j.batches.Load(), Written: j.written.Load(), Purged: j.purged.Load(),
		Failed: j.failed.Load(), Shown: j.shown.Load(),
		Foreign: j.foreign.Load(), TooLarge: j.tooLarge.Load(),
	}
}

// Epochs returns the lives of nodes that have, or had, records, until they are removed. Those of
// the life that this node has are not mirrored: it knows its calls.
func (j *Journal) Epochs() []Epoch { return j.mirror.list() }

// Calls returns the calls of a life that have records.
func (j *Journal) Calls(e Epoch) []uuid.UUID { return j.mirror.calls(e) }

// Has reports whether a call has a record.
func (j *Journal) Has(o callid.Owner, call uuid.UUID) bool { return j.mirror.has(o, call) }

// Owed returns what a call owes, by its record. The error says that it has none that can be read.
func (j *Journal) Owed(e Epoch, call uuid.UUID) (graph.Owed, error) {
	return j.mirror.owed(e, call)
}

// Purge notes that the notifications of a call of a dead node were delivered: at once in the
// mirror, and with the next batch in the others' and the bucket.
func (j *Journal) Purge(e Epoch, call uuid.UUID) {
	k := key{node: e.Node, epoch: e.Epoch, writer: j.options.Node}
	j.mirror.apply(k, appendRecord(nil, call, last, nil), false)
	j.writer.tell(e, call)
}

// Remove erases all that there is of a dead life, when the notifications of all its calls were
// delivered. If the bucket has calls that the mirror lacked, it has them afterwards, and nothing is
// removed. It waits for JetStream, or for ctx.
func (j *Journal) Remove(ctx context.Context, e Epoch) error {
	if err := j.Refresh(ctx); err != nil {
		return err
	}
	if len(j.Calls(e)) > 0 {
		return nil
	}
	stream, err := j.js.Stream(ctx, j.Stream())
	if err == nil {
		err = stream.Purge(ctx, jetstream.WithPurgeSubject(
			j.subject(key{node: e.Node, epoch: e.Epoch}.prefix()+">")))
	}
	if err != nil {
		return fmt.Errorf("journal: removing what was delivered: %w", err)
	}
	j.mirror.remove(e)
	return nil
}

// Drain waits until everything that has changed is written.
func (j *Journal) Drain(ctx context.Context) error { return j.writer.drain(ctx) }

// Close ends the journal. What is in line is not written; see Drain.
func (j *Journal) Close() {
	j.stop()
	_ = j.sub.Unsubscribe() // fails if the connection is closed
	_ = j.seen.Unsubscribe()
	_ = j.asked.Unsubscribe()
	j.loops.Wait()
}

func (j *Journal) subject(key string) string { return "$KV." + j.options.Bucket + "." + key }

// own reports whether a key is of the life that this node has.
func (j *Journal) own(k key) bool {
	return k.node == j.options.Node &&
		j.options.Holds(callid.Owner{Node: callid.Of(k.node), Epoch: k.epoch})
}

// passBy sees a write on its way to JetStream.
func (j *Journal) passBy(msg *nats.Msg) {
	k, err := parseKey(strings.TrimPrefix(msg.Subject, j.subject("")))
	if err != nil || j.own(k) {
		return
	}
	j.mirror.apply(k, msg.Data, len(msg.Header) > 0)
}

// open makes the bucket, and reads it, as soon as that can be done.
func (j *Journal) open(ctx context.Context) {
	for try := 0; ; try++ {
		patience := 2 * time.Second
		if try < 4 { // a request that comes before the servers know each other is lost
			patience = sweepEvery
		}
		err := j.make(ctx, patience)
		if err == nil {
			err = j.Refresh(ctx)
		}
		if err == nil {
			close(j.opened)
			return
		}
		if try == 10 {
			j.options.Logger.Warn("journal: the bucket can't be opened yet", slog.Any("error", err))
		}
		pause := time.NewTimer(sweepEvery)
		select {
		case <-ctx.Done():
			pause.Stop()
			return
		case <-pause.C:
		}
	}
}

// make makes the bucket, if it is not there.
func (j *Journal) make(ctx context.Context, patience time.Duration) error {
	// While an election is under way, which takes some seconds, nobody answers.
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	_, err := j.js.CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{
		Bucket: j.options.Bucket, Description: "what calls owe to their applications",
		History: 1, Replicas: j.options.Replicas, Storage: jetstream.FileStorage,
		LimitMarkerTTL: markerTTL,
	})
	return err
}

// Refresh reads the bucket into the mirror: what is there and was missed. It waits for that, or for
// ctx.
func (j *Journal) Refresh(ctx context.Context) error {
	j.loading.Lock()
	defer j.loading.Unlock()
	ctx, cancel := context.WithTimeout(ctx, loadTimeout)
	defer cancel()
	before, err := j.keys(ctx)
	if err != nil {
		return err
	}
	kv, err := j.js.KeyValue(ctx, j.options.Bucket)
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	watcher, err := kv.WatchAll(ctx)
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	defer watcher.Stop() //nolint:errcheck // what it has sent has been read
	for read := 0; ; read++ {
		select {
		case <-ctx.Done():
			return fmt.Errorf("journal: reading the bucket: %w", context.Cause(ctx))
		case entry, ok := <-watcher.Updates():
			switch {
			case !ok:
				return errors.New("journal: reading the bucket: it broke off")
			case entry == nil: // all that there was
				after, err := j.keys(ctx)
				if err == nil && isShort(read, min(before, after)) {
					err = fmt.Errorf("journal: reading the bucket: %d of %d keys, "+
						"from a server that is behind", read, after)
				}
				return err
			}
			if k, err := parseKey(entry.Key()); err == nil && !j.own(k) &&
				entry.Operation() == jetstream.KeyValuePut {
				j.mirror.apply(k, entry.Value(), false)
			}
		}
	}
}

// keys asks the leader of the bucket how many keys it has.
func (j *Journal) keys(ctx context.Context) (int, error) {
	stream, err := j.js.Stream(ctx, j.Stream())
	if err != nil {
		return 0, fmt.Errorf("journal: %w", err)
	}
	return int(stream.CachedInfo().State.Msgs), nil //nolint:gosec // each is in memory
}

// isShort reports whether so many keys were read that not all can be among them. They come from any
// server that has a part in the bucket, which may be one that has just joined and has nothing yet.
// Keys come and go meanwhile.
func isShort(read, keys int) bool { return read < keys-keys/10-2 || read == 0 && keys > 0 }

// Stream is the name of the bucket's stream.
func (j *Journal) Stream() string { return "KV_" + j.options.Bucket }
