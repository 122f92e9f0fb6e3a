package trace

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"ivrqueue/operation"
	"ivrqueue/queue"
)

// A trace as text, one item a line: what it says, and the fields that are not zero.
//
//	called enqueue #1 at=0s
//	delivering accepted op=a seq=1
//	returned enqueue #1 op=a
//
// Times are distances from the first item. The id of an operation is a name of up to 16 letters in
// a trace that was written by hand, else its UUID.

var whats = [...]string{
	Called: "called", Returned: "returned", StartEntered: "start-entered",
	StartReturned: "start-returned", StopEntered: "stop-entered", StopReturned: "stop-returned",
	OptionalEntered: "optional-entered", OptionalReturned: "optional-returned",
	PrepareEntered: "prepare-entered", PrepareReturned: "prepare-returned",
	GivenUp: "given-up",
	Asked:   "asked", Live: "live", Read: "read", Snapped: "snapped", Followed: "followed",
	Repeated:    "repeated",
	Progressing: "progressing", Progressed: "progressed", Abandoned: "abandoned",
	Delivering: "delivering", Delivered: "delivered", Pressed: "pressed", Subscribed: "subscribed",
	Took: "took", TonesOver: "tones-over", Final: "final", Quiet: "quiet", Done: "done",
}

var methods = [...]string{
	Enqueue: "enqueue", EnqueueNext: "enqueue-next", BargeIn: "barge-in", Interrupt: "interrupt",
	CancelAll: "cancel-all", Cancel: "cancel", CancelWhere: "cancel-where", Seal: "seal",
	Close: "close", Shutdown: "shutdown", End: "end", Tone: "tone",
	Pause: "pause", Resume: "resume", PauseOperation: "pause-operation",
	ResumeOperation: "resume-operation", EndLoop: "end-loop",
}

func (w What) String() string   { return whats[w] }
func (m Method) String() string { return methods[m] }

// Format writes a trace as text.
func Format(items []Item) string {
	var b strings.Builder
	for at := range items {
		b.WriteString(items[at].text(items[0].At))
		b.WriteByte('\n')
	}
	return b.String()
}

func (i *Item) text(start time.Time) string {
	words := []string{i.What.String()}
	add := func(there bool, format string, args ...any) {
		if there {
			words = append(words, fmt.Sprintf(format, args...))
		}
	}
	add(i.Method != 0, "%v", i.Method)
	add(i.Event != 0, "%v", i.Event)
	add(i.Status != 0, "%v", i.Status)
	add(i.Number != 0, "#%d", i.Number)
	add(i.Op != uuid.Nil, "op=%s", name(i.Op))
	if len(i.Ops) > 0 {
		names := make([]string, len(i.Ops))
		for n, op := range i.Ops {
			names[n] = name(op)
		}
		add(true, "ops=%s", strings.Join(names, ","))
	}
	add(i.Failed, "no")
	add(i.Protected, "protected")
	add(i.By != uuid.Nil, "by=%s", name(i.By))
	add(i.Reason != 0, "reason=%s", i.Reason.String())
	add(i.Position != 0, "position=%v", i.Position)
	add(i.Timeout != 0, "timeout=%v", i.Timeout)
	add(i.Keys, "keys")
	add(i.Who != 0, "who=%d", i.Who)
	add(i.Seq != 0, "seq=%d", i.Seq)
	add(i.Lost != 0, "lost=%d", i.Lost)
	add(!i.Time.IsZero(), "time=%v", i.Time.Sub(start))
	add(true, "at=%v", i.At.Sub(start))
	return strings.Join(words, " ")
}

// name is what an operation is called in a text.
func name(op uuid.UUID) string {
	if short := bytes.TrimRight(op[:], "\x00"); len(short) < len(op) {
		return string(short)
	}
	return op.String()
}

// Parse reads a trace that Format has written, or somebody by hand. Empty lines, and what follows a
// double slash, say nothing; an item without a time has that of the one before.
func Parse(text string) ([]Item, error) {
	var items []Item
	var at time.Time
	for n, line := range strings.Split(text, "\n") {
		line, _, _ = strings.Cut(line, "//")
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		i := Item{At: at}
		for _, w := range words {
			if err := i.parse(w); err != nil {
				return nil, fmt.Errorf("line %d: %q: %w", n+1, w, err)
			}
		}
		at = i.At
		items = append(items, i)
	}
	return items, nil
}

var errUnknown = errors.New("means nothing")

// parse takes in one word of a line.
func (i *Item) parse(word string) (err error) {
	key, value, _ := strings.Cut(word, "=")
	switch key {
	case "op":
		i.Op, err = parseID(value)
	case "ops":
		for v := range strings.SplitSeq(value, ",") {
			op, err := parseID(v)
			if err != nil {
				return err
			}
			i.Ops = append(i.Ops, op)
		}
	case "by":
		i.By, err = parseID(value)
	case "no":
		i.Failed = true
	case "keys":
		i.Keys = true
	case "protected":
		i.Protected = true
	case "reason":
		for i.Reason = 1; i.Reason.String() != value; i.Reason++ {
			if !i.Reason.Valid() {
				return errUnknown
			}
		}
	case "position":
		i.Position, err = time.ParseDuration(value)
	case "timeout":
		i.Timeout, err = time.ParseDuration(value)
	case "who":
		i.Who, err = strconv.Atoi(value)
	case "seq":
		i.Seq, err = strconv.ParseUint(value, 10, 64)
	case "lost":
		i.Lost, err = strconv.ParseUint(value, 10, 64)
	case "time":
		i.Time, err = parseTime(value)
	case "at":
		i.At, err = parseTime(value)
	default:
		return i.parseName(key)
	}
	return err
}

// parseName takes in a word without a value.
func (i *Item) parseName(word string) (err error) {
	if n, ok := strings.CutPrefix(word, "#"); ok {
		i.Number, err = strconv.Atoi(n)
		return err
	}
	if i.What == 0 {
		i.What, err = find[What](whats[:], word)
		return err
	}
	if i.Method, err = find[Method](methods[:], word); err == nil {
		return nil
	}
	for i.Event = queue.Accepted; i.Event <= queue.Late; i.Event++ {
		if i.Event.String() == word {
			return nil
		}
	}
	i.Event = 0
	for i.Status = operation.NotStarted; i.Status <= operation.Failed; i.Status++ {
		if i.Status.String() == word {
			return nil
		}
	}
	return errUnknown
}

func find[T What | Method](names []string, word string) (T, error) {
	for t, n := range names {
		if n == word {
			return T(t), nil //nolint:gosec // the tables are short
		}
	}
	return 0, errUnknown
}

func parseID(s string) (id uuid.UUID, err error) {
	if len(s) < len(id) {
		copy(id[:], s)
		return id, nil
	}
	return uuid.Parse(s)
}

func parseTime(s string) (time.Time, error) {
	d, err := time.ParseDuration(s)
	return time.Time{}.Add(d), err
}
