package journal

import (
	"bytes"
	"context"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go"
)

// An heir asks the others what they know of a dead life before it acts: its own mirror may have
// missed a record, and with it an end that the owner has delivered. It would deliver another one.

const (
	knownToken   = "known" // in the subjects of questions, where shownToken is in those of batches
	headBy       = "By"    // of the last message of an answer: the node that answers
	agreeTimeout = 500 * time.Millisecond
	maxAsked     = 16 << 10 // calls in a question
)

// Agree asks the other nodes that live what they know of a dead life, puts into the mirror what is
// newer there, or lacking here, and returns the calls that it asked about, or was told of. It waits
// until all have answered, for half a second at the most, or for ctx. Those that are asked learn of
// the life, and may ask in turn.
func (j *Journal) Agree(ctx context.Context, e Epoch) []uuid.UUID {
	known := j.mirror.revisions(e)
	asked := slices.Collect(maps.Keys(known))
	others := j.others()
	if len(others) == 0 {
		return asked
	}
	answers, err := j.conn.SubscribeSync(j.conn.NewInbox())
	if err != nil {
		return asked // the connection is closed
	}
	defer answers.Unsubscribe() //nolint:errcheck // as above
	questions := make([][]byte, len(known)/min(maxAsked, max(1, int(j.conn.MaxPayload())/maxEntry))+1)
	for call, revision := range known {
		part := partOf(call, len(questions))
		questions[part] = appendRecord(questions[part], call, revision, nil)
	}
	missing := make(map[string]int)
	for _, name := range others {
		missing[name] = len(questions)
	}
	for part, question := range questions {
		m := nats.NewMsg(strings.Join([]string{
			j.options.Bucket, knownToken, j.options.Node, e.Node, strconv.FormatUint(uint64(e.Epoch), 10),
			strconv.Itoa(part), strconv.Itoa(len(questions)),
		}, "."))
		m.Reply, m.Data = answers.Subject, question
		_ = j.conn.PublishMsg(m) // if it is lost, half a second passes
	}
	ctx, cancel := context.WithTimeout(ctx, j.options.agree)
	defer cancel()
	for len(missing) > 0 {
		m, err := answers.NextMsgWithContext(ctx)
		if err == nats.ErrNoResponders { //nolint:errorlint // as it is; one of ctx may be anybody's
			continue // for the server, there is nobody else yet
		}
		if err != nil {
			break // those that are missing may be dead, too
		}
		if len(m.Data) > 0 {
			j.mirror.apply(key{node: e.Node, epoch: e.Epoch, writer: e.Node}, m.Data, false)
			eachRecord(m.Data, func(call uuid.UUID, _ uint64, _ []byte) { asked = append(asked, call) })
		}
		// It may be a part of an answer, or of a node that this one does not wait for.
		by := m.Header.Get(headBy)
		if n := missing[by]; n > 1 {
			missing[by] = n - 1
		} else {
			delete(missing, by)
		}
	}
	return asked
}

// partOf says in which of some questions a call is: by its last bytes, which are random.
func partOf(call uuid.UUID, parts int) int { return (int(call[14])<<8 | int(call[15])) % parts }

// answerKnown answers another node that asks what this one knows of a dead life.
func (j *Journal) answerKnown(m *nats.Msg) {
	at := strings.Split(m.Subject, ".")
	if len(at) != 7 || at[2] == j.options.Node || m.Reply == "" {
		return
	}
	epoch, err1 := strconv.ParseUint(at[4], 10, 32)
	part, err2 := strconv.Atoi(at[5])
	parts, err3 := strconv.Atoi(at[6])
	theirs := make(map[uuid.UUID]uint64)
	whole := eachRecord(m.Data, func(call uuid.UUID, revision uint64, _ []byte) {
		theirs[call] = revision
	})
	if err1 != nil || err2 != nil || err3 != nil || part < 0 || part >= parts || !whole {
		return
	}
	var data []byte
	e := Epoch{Node: at[3], Epoch: uint32(epoch)} //nolint:gosec // it was parsed as one
	if len(theirs) > 0 && !j.own(key{node: e.Node, epoch: e.Epoch}) {
		j.mirror.note(e) // this node may be an heir of it, and have missed all of it
	}
	asked := func(call uuid.UUID) bool { return partOf(call, parts) == part }
	for _, r := range j.mirror.beyond(e, theirs, asked) {
		if len(data) > 0 && len(data)+maxEntry+len(r.text) > maxBatch {
			_ = j.conn.Publish(m.Reply, data)
			data = nil
		}
		data = appendRecord(data, r.call, r.revision, r.text)
	}
	reply := nats.NewMsg(m.Reply)
	reply.Header.Set(headBy, j.options.Node)
	reply.Data = data
	_ = j.conn.PublishMsg(reply) // if it is lost, half a second passes
}

// known is what one node knows of a call and another does not.
type known struct {
	call     uuid.UUID
	revision uint64
	text     []byte // none: the call is over
}

// note notes that there is a life, and perhaps no record of it.
func (m *mirror) note(e Epoch) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.of(key{node: e.Node, epoch: e.Epoch})
}

// revisions returns which records there are of a life.
func (m *mirror) revisions(e Epoch) map[uuid.UUID]uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := m.epochs[e]
	if all == nil {
		return nil
	}
	revisions := make(map[uuid.UUID]uint64, len(all.records))
	for call, r := range all.records {
		revisions[call] = r.revision
	}
	return revisions
}

// beyond returns what there is of the calls of a life that were asked about, beyond the records
// that another node has: newer ones, some that it lacks, and the ends of those that it has.
func (m *mirror) beyond(
	e Epoch, theirs map[uuid.UUID]uint64, asked func(uuid.UUID) bool,
) (news []known) {
	m.mu.Lock()
	all := m.epochs[e]
	if all == nil {
		m.mu.Unlock()
		return nil
	}
	for call := range theirs {
		if all.hasEnded(call) {
			news = append(news, known{call: call, revision: last})
		}
	}
	var apart []int // the news whose bodies have keys of their own
	for call, r := range all.records {
		if revision, has := theirs[call]; asked(call) && (!has || revision < r.revision) {
			if len(all.bodies[call]) > 0 {
				apart = append(apart, len(news))
			}
			news = append(news, known{call, r.revision, []byte(r.text)})
		}
	}
	m.mu.Unlock()
	for _, i := range apart { // the other may not have got them
		if o, err := m.owed(e, news[i].call); err == nil {
			var text bytes.Buffer
			if err := writeRecord(&text, &o, math.MaxInt); err == nil {
				news[i].text = text.Bytes()
			}
		}
	}
	return news
}
