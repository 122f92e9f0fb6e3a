package sip

// stage is how far a call has come.
type stage uint8

const (
	fresh       stage = iota // nothing was sent
	trying                   // it was asked for
	ringing                  // somebody hears it ring
	answered                 // the 200 was sent, and not acknowledged yet
	established              // both ends know
	ended
)

// step is what may bring a call on.
type step uint8

const (
	dial    step = iota // we call
	ring                // the called one rings
	pickUp              // we answer
	confirm             // the peer has acknowledged our answer, or we its
	end                 // whatever it was
)

// steps are all that there are: where a step leads from each stage. What is not here is refused.
var steps = map[stage]map[step]stage{
	fresh:       {dial: trying, end: ended},
	trying:      {ring: ringing, pickUp: answered, confirm: established, end: ended},
	ringing:     {ring: ringing, pickUp: answered, confirm: established, end: ended},
	answered:    {confirm: established, end: ended},
	established: {end: ended},
}

// take makes the step if it leads anywhere.
func (s *stage) take(t step) bool {
	to, ok := steps[*s][t]
	if ok {
		*s = to
	}
	return ok
}

// End is why a call has ended.
type End uint8

// The reasons.
const (
	HungUp     End = iota + 1 // we hung up
	PeerHungUp                // the peer did
	Cancelled                 // the caller gave up before the answer
	Rejected                  // the called end did not want the call, or has redirected it
	NoAnswer                  // nobody answered in time
	NoAck                     // the peer has never acknowledged our answer
	Expired                   // the peer did not refresh the session in time
	Failed                    // no media in common, a transport error, a peer that is gone
	ShutDown                  // the agent was shut down
)

var ends = [...]string{
	"", "hungUp", "peerHungUp", "cancelled", "rejected", "noAnswer", "noAck", "expired", "failed",
	"shutDown",
}

// String returns the name, such as "peerHungUp"; it is empty for no end.
func (e End) String() string {
	if int(e) >= len(ends) {
		return ""
	}
	return ends[e]
}
