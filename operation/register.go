package operation

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"unicode/utf8"
)

// Limits of reasons of a platform's own.
const (
	MaxReasons       = 255 // in all, those of this package included
	MaxReasonName    = 64  // characters
	MaxReasonMessage = 256 // characters
)

// ReasonSpec spells out a reason of a platform's own, for [RegisterReason].
type ReasonSpec struct {
	// Name labels it in logs and metrics: 1 to 64 letters, digits, '.', '_' and '-' of ASCII, the
	// first a letter. No other reason has it.
	Name string

	Status  Status // Completed or Failed
	Code    int    // resultInfo.code: 200 to 299 if completed, 400 to 599 if failed
	Subcode int    // resultInfo.subcode: 0 to 2,147,483,647, Graph's Int32
	Message string // resultInfo.message, for people: 1 to 256 characters, valid UTF-8

	// Play and Record are Graph's completionReason of a play and of a record that ends for this
	// reason: members of Graph's playCompletionReason and recordCompletionReason. Default: of a
	// completed play completedSuccessfully, of a failed one unknown; of a completed record none, of a
	// failed one unspecifiedError.
	Play, Record string
}

// RegisterReason makes a reason of a platform's own, which does all that the others do: media
// reports it, a cancel or a Close gives it, errors.Is and [FindReason] find it, the wire shows it.
// It may be called at any time from any goroutine, best while the program begins; readers of a
// reason do not wait for it. There is no way to take one back. The number behind it depends on the
// order of registration: what is stored is its name.
//
// Errors: a [*FieldError] that names the field, among them a name that another reason has, and the
// 256th reason. The same spec again is the same reason.
func RegisterReason(s ReasonSpec) (Reason, error) { return reasons.register(s) }

// reasons are all reasons of the process.
var reasons = newReasonTable()

// reasonTable is the table of results, to which rows are added and never changed. To read a row is
// one atomic load.
type reasonTable struct {
	rows [MaxReasons + 1]atomic.Pointer[listedReason] // by reason; nil where there is none

	mu   sync.Mutex // guards what follows, and stores to rows
	next int        // the first that is free
}

// listedReason is a reason in the table.
type listedReason struct {
	row   row
	ended context.Context //nolint:containedctx // without values; ended with the reason as cause
}

func newReasonTable() *reasonTable {
	t := &reasonTable{next: 1} // zero is no reason
	for _, r := range rows[1:] {
		_ = t.add(r) // an error by its type, as every reason
	}
	return t
}

// add adds a row. The mutex is held, or the table is not shared yet.
func (t *reasonTable) add(r row) Reason {
	added := Reason(t.next) //nolint:gosec // at most MaxReasons
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(added)
	t.rows[added].Store(&listedReason{r, ctx})
	t.next++
	return added
}

func (t *reasonTable) register(s ReasonSpec) (Reason, error) {
	if err := s.validate(); err != nil {
		return 0, err
	}
	r := s.row()
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := 1; i < t.next; i++ {
		old := t.rows[i].Load().row
		if old.name != r.name {
			continue
		}
		if old != r {
			return 0, &FieldError{"reason.name", strconv.Quote(s.Name), "one that no other reason has"}
		}
		return Reason(i), nil //nolint:gosec // at most MaxReasons
	}
	if t.next > MaxReasons {
		return 0, &FieldError{
			"reason", fmt.Sprintf("%q, number %d", s.Name, t.next),
			fmt.Sprintf("one of at most %d in all", MaxReasons),
		}
	}
	return t.add(r), nil
}

// Graph's enumerations playCompletionReason and recordCompletionReason.
var (
	playCompletions   = []string{"unknown", "completedSuccessfully", "mediaOperationCanceled"}
	recordCompletions = []string{
		"operationCanceled", "playBeepFailed", "playPromptFailed", "maxRecordDurationReached",
		"stopToneDetected", "maxSilenceTimeout", "initialSilenceTimeout", "unspecifiedError",
	}
)

// row is the row of a valid spec.
func (s *ReasonSpec) row() row {
	r := row{
		name: s.Name, status: s.Status, code: s.Code, subcode: s.Subcode, message: s.Message,
		play: s.Play, record: s.Record,
	}
	switch {
	case r.play != "":
	case s.Status == Completed:
		r.play = "completedSuccessfully"
	default:
		r.play = "unknown"
	}
	if r.record == "" && s.Status == Failed {
		r.record = "unspecifiedError"
	}
	return r
}

func (s *ReasonSpec) validate() error {
	least, most := 400, 599
	if s.Status == Completed {
		least, most = 200, 299
	}
	switch {
	case !validReasonName(s.Name):
		return &FieldError{
			"reason.name", quoteShort(s.Name),
			fmt.Sprintf("1 to %d letters, digits, '.', '_' and '-', the first a letter", MaxReasonName),
		}
	case !s.Status.Terminal():
		return &FieldError{"reason.status", s.Status.String(), "completed or failed"}
	case s.Code < least || s.Code > most:
		return &FieldError{
			"reason.code", strconv.Itoa(s.Code), fmt.Sprintf("%d to %d if %v", least, most, s.Status),
		}
	case s.Subcode < 0 || s.Subcode > math.MaxInt32:
		return &FieldError{
			"reason.subcode", strconv.Itoa(s.Subcode), fmt.Sprintf("0 to %d", math.MaxInt32),
		}
	case !utf8.ValidString(s.Message):
		return &FieldError{"reason.message", "invalid UTF-8", "valid UTF-8"}
	case s.Message == "" || utf8.RuneCountInString(s.Message) > MaxReasonMessage:
		return &FieldError{
			"reason.message", fmt.Sprintf("%d characters", utf8.RuneCountInString(s.Message)),
			fmt.Sprintf("1 to %d", MaxReasonMessage),
		}
	case s.Play != "" && !slices.Contains(playCompletions, s.Play):
		return &FieldError{
			"reason.play", quoteShort(s.Play), fmt.Sprintf("empty, or one of %q", playCompletions),
		}
	case s.Record != "" && !slices.Contains(recordCompletions, s.Record):
		return &FieldError{
			"reason.record", quoteShort(s.Record), fmt.Sprintf("empty, or one of %q", recordCompletions),
		}
	}
	return nil
}

func validReasonName(s string) bool {
	if len(s) == 0 || len(s) > MaxReasonName {
		return false
	}
	for i := range len(s) {
		c := s[i]
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		other := '0' <= c && c <= '9' || c == '.' || c == '_' || c == '-'
		if !letter && (i == 0 || !other) {
			return false
		}
	}
	return true
}

// quoteShort quotes the beginning of a text that may be of any length.
func quoteShort(s string) string {
	if len(s) > MaxReasonName {
		return fmt.Sprintf("%q… (%d bytes)", s[:MaxReasonName], len(s))
	}
	return strconv.Quote(s)
}
