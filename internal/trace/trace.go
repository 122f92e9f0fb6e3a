package trace

import (
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"ivrqueue/operation"
	"ivrqueue/queue"
)

// What says what an item is.
type What uint8

// The kinds of items.
const (
	Called           What = iota + 1 // a method is about to be called
	Returned                         // it has returned
	StartEntered                     // Media.Start was entered
	StartReturned                    // it has returned; Failed if with an error, a panic or an exit
	StopEntered                      // Media.Stop was entered
	StopReturned                     // it has returned
	OptionalEntered                  // Pause, Resume or EndLoop of Media was entered, as Method says
	OptionalReturned                 // it has returned, or panicked
	PrepareEntered                   // Media.Prepare was entered
	PrepareReturned                  // it has returned; Failed if its context was wrong
	GivenUp                          // the logger was warned of a Prepare that did not return
	Asked                            // Live, Status or a snapshot is about to be read
	Live                             // Live has answered; Failed if no
	Read                             // Status and Result have been read
	Snapped                          // a snapshot has been read; Ops are the live operations
	Followed                         // Done and context of one that has ended; Failed if open
	Repeated                         // a call, with its idempotency key; Failed if answered otherwise
	Progressing                      // progress is about to be reported
	Progressed                       // it was reported
	Abandoned                        // the logger was warned of media; whose, nobody knows if no Op
	Delivering                       // an observer was entered with an event
	Delivered                        // it has returned
	Pressed                          // a tone was published
	Subscribed                       // to tones; Seq is the tone published last
	Took                             // a subscription has taken a tone
	TonesOver                        // the tone stream has ended, and all who listened have
	Final                            // FinalResult has been read; Failed if there is none
	Quiet                            // nothing happens by itself; Ops is what is left, Lost log lines
	Done                             // the queue's Done is closed
)

// Method is something that changes a queue.
type Method uint8

// The methods. BargeIn is an Enqueue of a request that barges in, whose receipt nobody gets; End is
// a media's report.
const (
	Enqueue Method = iota + 1
	EnqueueNext
	BargeIn
	Interrupt
	CancelAll
	Cancel
	CancelWhere
	Seal
	Close
	Shutdown
	End
	Tone
	Pause
	Resume
	PauseOperation
	ResumeOperation
	EndLoop // of media only
)

// Accepts reports whether the method makes an operation.
func (m Method) Accepts() bool {
	return m == Enqueue || m == EnqueueNext || m == BargeIn || m == Interrupt
}

// closes reports whether the method is the end of the call.
func (m Method) closes() bool { return m == Close || m == Shutdown }

// Item is one line of a trace. Which fields it has depends on What.
type Item struct {
	At     time.Time // of the recording
	What   What
	Method Method      // of Called and Returned
	Number int         // joins Called and Returned; Asked and Live, Read or Snapped; Progressing too
	Op     uuid.UUID   // the operation that it is about
	Ops    []uuid.UUID // the operations of a receipt, in its order; what a snapshot holds
	Failed bool        // refused, answered no, ended otherwise than by returning; Called: may last
	By     uuid.UUID   // who ended the operation; Returned: the cause that a cancel gives

	Protected bool // Returned: what was accepted is protected, or the cancel has spared what is

	Status   operation.Status
	Reason   operation.Reason
	Position time.Duration // of a report, and of its event
	Timeout  time.Duration // of what accepts: the operation's own stop timeout, zero for the queue's
	Keys     bool          // likewise: the keys that are pressed may end it

	Who   int // observer or subscription; the first observer is 0
	Event queue.EventKind
	Seq   uint64 // of the event, or of the tone
	Lost  uint64 // tones, before this one
	Time  time.Time
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
	r.add(&i)
}

// Begin appends an item that another one will answer, and returns the number that joins them.
func (r *Recorder) Begin(i Item) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.number++
	i.Number = r.number
	r.add(&i)
	return i.Number
}

func (r *Recorder) add(i *Item) {
	i.At = time.Now()
	r.items = append(r.items, *i)
}

// Items returns the trace so far.
func (r *Recorder) Items() []Item {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.items)
}
