package trace

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"ivrqueue/operation"
	"ivrqueue/queue"
)

// What says what an item tells.
type What uint8

// The kinds of items.
const (
	Called        What = iota + 1 // a method of the queue is about to be called
	Returned                      // it has returned
	StartEntered                  // Media.Start was entered
	StartReturned                 // and has returned; Failed if with an error, a panic or an exit
	StopEntered                   // Media.Stop was entered
	StopReturned                  // and has returned
	Reporting                     // End or Fail is about to be called
	Asked                         // Live is about to be asked, or Status to be read
	Live                          // Live has answered: Failed if no
	Read                          // Status and Result have been read
	Told                          // an observer was entered with an event
	Heard                         // and has returned
	Pressed                       // a tone was published
	Subscribed                    // to tones
	Took                          // a subscription has taken a tone
	Quiet                         // nothing happens any more, by itself
	Done                          // the queue's Done is closed
)

var names = [...]string{
	Called: "called", Returned: "returned", StartEntered: "start entered",
	StartReturned: "start returned", StopEntered: "stop entered", StopReturned: "stop returned",
	Reporting: "reporting", Asked: "asked", Live: "live", Read: "read", Told: "told", Heard: "heard",
	Pressed: "pressed", Subscribed: "subscribed", Took: "took", Quiet: "quiet", Done: "done",
}

func (w What) String() string { return names[w] }

// Method is a method of the queue.
type Method string

// The methods that change a queue.
const (
	Enqueue   Method = "Enqueue"
	Interrupt Method = "Interrupt"
	CancelAll Method = "CancelAll"
	Cancel    Method = "Cancel"
	Seal      Method = "Seal"
	Close     Method = "Close"
)

// Item is one line of a trace. Which fields it has depends on What.
type Item struct {
	What   What
	Number int         // joins Called and Returned, Asked and Live or Read
	Method Method      // of Called and Returned
	Op     uuid.UUID   // the operation that it is about
	Ops    []uuid.UUID // the victims of a receipt
	Failed bool        // refused, answered no, or ended otherwise than by returning
	Status operation.Status
	Reason operation.Reason

	Who   int // observer or subscription
	Event queue.EventKind
	Seq   uint64 // of the event, or of the tone
	Time  time.Time

	Running, Stopping bool // of Quiet, from a snapshot
	Waiting           int
}

func (i Item) String() string {
	return fmt.Sprintf("%v %s#%d op %.8s who %d %v %d %v %v failed=%v %d victims",
		i.What, i.Method, i.Number, i.Op, i.Who, i.Event, i.Seq, i.Status, i.Reason, i.Failed, len(i.Ops))
}

// Recorder makes a trace. It is safe for concurrent use; its zero value is ready.
type Recorder struct {
	mu     sync.Mutex // guards everything below
	items  []Item
	number int
}

// Add appends an item.
func (r *Recorder) Add(i Item) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.items = append(r.items, i)
}

// Begin appends an item that another one will answer, and returns the number that joins them.
func (r *Recorder) Begin(i Item) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.number++
	i.Number = r.number
	r.items = append(r.items, i)
	return i.Number
}

// Items returns the trace so far.
func (r *Recorder) Items() []Item {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.items)
}
