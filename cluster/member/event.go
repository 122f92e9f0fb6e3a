package member

// Event is what an observer gets. Which of the fields are set depends on the kind.
type Event struct {
	Kind  EventKind
	Lease *Lease // of Began and Fenced
	View  *View  // of Changed
	Err   error  // of Failed: ErrNameTaken or ErrMisconfigured, wrapped
}

// EventKind says what has happened.
type EventKind uint8

const (
	// Began says that this node has a new epoch, whose lease holds: it may take calls.
	Began EventKind = iota + 1

	// Fenced says that an epoch of this node has ended: its lease ran out, or the member was
	// closed or has failed. It is other nodes that notify of the end of its calls. It follows Began
	// of the same epoch.
	Fenced

	// Changed says that there is another view: nodes have died, come or gone, or the heirs of some
	// are others now. An observer that is slow may miss views between, never the last one.
	Changed

	// Failed says that the member has ended on its own.
	Failed
)

var eventNames = [...]string{Began: "began", Fenced: "fenced", Changed: "changed", Failed: "failed"}

// String returns the name of the kind.
func (k EventKind) String() string {
	if int(k) < len(eventNames) && eventNames[k] != "" {
		return eventNames[k]
	}
	return "invalid"
}
