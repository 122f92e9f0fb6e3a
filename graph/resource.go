package graph

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"ivrqueue/operation"
	"ivrqueue/tone"
)

// The wire's resources, with the members that Graph publishes, in their order. A member that Graph
// shows as null is a pointer here and never left out; one that only some bodies have is left out
// where it is empty.

const typePrefix = "#microsoft.graph."

// ResultInfo says how a call or an operation went.
type ResultInfo struct {
	Code    int
	Subcode int
	Message string
}

// resultInfo is ResultInfo on the wire, where code and subcode are always numbers.
type resultInfo struct {
	Type    string `json:"@odata.type"`
	Code    int    `json:"code"`
	Subcode int    `json:"subcode"`
	Message string `json:"message"`
}

func newResultInfo(r ResultInfo) *resultInfo {
	return &resultInfo{typePrefix + "resultInfo", r.Code, r.Subcode, r.Message}
}

// resultInfoOf says how an operation went. Of what failed by itself it has what the media has
// made public of the cause; what was ended by others has the published message alone.
func resultInfoOf(r operation.Result) *resultInfo {
	why := r.Reason
	message := why.Message()
	switch {
	case r.Err == nil, why.Status() != operation.Failed, errors.Is(why, operation.Cancelled),
		why == operation.CallEnded, why == operation.ShutDown:
	default:
		if detail := operation.Detail(r.Err); detail != "" {
			message += " " + strings.TrimSuffix(detail, ".") + "."
		}
	}
	return newResultInfo(ResultInfo{why.Code(), why.Subcode(), message})
}

type toneInfo struct {
	Type       string    `json:"@odata.type"`
	SequenceID uint64    `json:"sequenceId"`
	Tone       tone.Tone `json:"tone"`
}

// Resource is what a call shows of itself besides what the handler knows: whom it connects. It is
// read from the request that creates a call, and shown as it is. What is JSON here is shown as
// the platform gives it, and must be valid: Targets as an empty list, the others as null where they
// are empty.
type Resource struct {
	Direction               string          // incoming or outgoing; null if empty
	Source                  json.RawMessage // participantInfo
	Targets                 json.RawMessage // a list of invitationParticipantInfo
	RequestedModalities     []string        // audio, video, videoBasedScreenSharing, data
	MediaConfig             json.RawMessage // serviceHostedMediaConfig
	ChatInfo                json.RawMessage // chatInfo; of a meeting
	MeetingInfo             json.RawMessage // meetingInfo; of a meeting
	Subject                 string
	TenantID                string // not shown if empty
	RingingTimeoutInSeconds int32
	CallChainID             string // a random one if empty
	MyParticipantID         string // a random one if empty
}

// check returns an error that names the first member that no client could read.
func (r *Resource) check() error {
	if r.Direction != "" && r.Direction != "incoming" && r.Direction != "outgoing" {
		return fmt.Errorf("resource: Direction is %.80q, must be incoming, outgoing, or empty",
			r.Direction)
	}
	for i, m := range r.RequestedModalities {
		if !slices.Contains(modalities, m) {
			return fmt.Errorf("resource: RequestedModalities[%d] is %.80q, must be one of %q",
				i, m, modalities)
		}
	}
	for _, m := range []struct {
		name string
		json json.RawMessage
	}{
		{"Source", r.Source},
		{"Targets", r.Targets},
		{"MediaConfig", r.MediaConfig},
		{"ChatInfo", r.ChatInfo},
		{"MeetingInfo", r.MeetingInfo},
	} {
		if len(m.json) > 0 && (!json.Valid(m.json) || !isUnicode(m.json)) {
			return fmt.Errorf("resource: %s is %.80q, must be valid JSON of Unicode text, or empty",
				m.name, m.json)
		}
	}
	return nil
}

// callResource is a call as the create and get pages show it.
type callResource struct {
	Type                    string          `json:"@odata.type"`
	State                   CallState       `json:"state"`
	Direction               *string         `json:"direction"`
	CallbackURI             string          `json:"callbackUri"`
	CallChainID             string          `json:"callChainId"`
	Source                  json.RawMessage `json:"source"`
	Targets                 json.RawMessage `json:"targets"`
	RequestedModalities     []string        `json:"requestedModalities"`
	MediaConfig             json.RawMessage `json:"mediaConfig"`
	MyParticipantID         string          `json:"myParticipantId"`
	ID                      string          `json:"id"`
	Context                 string          `json:"@odata.context"`
	Subject                 *string         `json:"subject"`
	RingingTimeoutInSeconds *int32          `json:"ringingTimeoutInSeconds"`
	MediaState              *callMediaState `json:"mediaState"`
	ResultInfo              *resultInfo     `json:"resultInfo"`
	AnsweredBy              any             `json:"answeredBy"`
	ChatInfo                json.RawMessage `json:"chatInfo"`
	MeetingInfo             json.RawMessage `json:"meetingInfo"`
	TenantID                string          `json:"tenantId,omitempty"`
	Transcription           any             `json:"transcription"`
	ToneInfo                any             `json:"toneInfo"`
}

type callMediaState struct {
	Type  string     `json:"@odata.type"`
	Audio MediaState `json:"audio"`
}

func newMediaState(audio MediaState) *callMediaState {
	if audio == "" {
		return nil
	}
	return &callMediaState{typePrefix + "callMediaState", audio}
}

// callChange is a call as notifications show it.
type callChange struct {
	Type                string          `json:"@odata.type"`
	ODataID             string          `json:"@odata.id"`
	ETag                string          `json:"@odata.etag"`
	ID                  string          `json:"id"`
	State               CallState       `json:"state"`
	Direction           string          `json:"direction,omitempty"`
	Source              json.RawMessage `json:"source,omitempty"`
	Targets             json.RawMessage `json:"targets,omitempty"`
	RequestedModalities []string        `json:"requestedModalities,omitempty"`
	ChatInfo            json.RawMessage `json:"chatInfo,omitempty"`
	MeetingInfo         json.RawMessage `json:"meetingInfo,omitempty"`
	MediaState          *callMediaState `json:"mediaState,omitempty"`
	ToneInfo            *toneInfo       `json:"toneInfo,omitempty"`
	ResultInfo          *resultInfo     `json:"resultInfo,omitempty"`
}

// newOperation is an operation as the answer to the request that made it shows it: with the members
// of the action's page and no others.
type newOperation struct {
	Type          string  `json:"@odata.type"`
	ID            string  `json:"id"`
	Status        string  `json:"status"`
	ClientContext *string `json:"clientContext"`
}

// newRecord is the same of a record.
type newRecord struct {
	newOperation

	ResultInfo        *resultInfo `json:"resultInfo"`
	RecordingLocation *string     `json:"recordingLocation"`
}

// operationResource is an operation as it is read back.
type operationResource struct {
	Type             string      `json:"@odata.type"`
	ID               string      `json:"id"`
	ClientContext    *string     `json:"clientContext"`
	Status           string      `json:"status"`
	ResultInfo       *resultInfo `json:"resultInfo"`
	Location         *string     `json:"recordingLocation,omitempty"`    // of a record that has ended
	AccessToken      *string     `json:"recordingAccessToken,omitempty"` // as well
	CompletionReason *string     `json:"completionReason,omitempty"`

	Outcome json.RawMessage `json:"outcome,omitempty"` // of a platform's own kind
}

// operationChange is an operation as its notification shows it: the union of what the published
// notifications have.
type operationChange struct {
	Type             string      `json:"@odata.type"`
	ODataID          string      `json:"@odata.id"`
	ETag             string      `json:"@odata.etag"`
	ID               string      `json:"id"`
	ClientContext    *string     `json:"clientContext"`
	Status           string      `json:"status"`
	ResultInfo       *resultInfo `json:"resultInfo,omitempty"`           // of all but sent tones
	Location         *string     `json:"recordingLocation,omitempty"`    // of a record
	AccessToken      *string     `json:"recordingAccessToken,omitempty"` // as well
	CompletionReason **string    `json:"completionReason,omitempty"`     // null if there is none

	Outcome json.RawMessage `json:"outcome,omitempty"` // of a platform's own kind
}

// notifications is the envelope of a batch.
type notifications struct {
	Type  string         `json:"@odata.type"`
	Value []notification `json:"value"`
}

// notification has in resource what captures of the service have there, and the pages do not.
type notification struct {
	Type         string `json:"@odata.type"`
	ChangeType   string `json:"changeType"`
	ResourceURL  string `json:"resourceUrl"`
	Resource     string `json:"resource"`
	CallbackURI  string `json:"callbackUri,omitempty"` // of a call
	ResourceData any    `json:"resourceData"`
}

// Kinds that are things of the wire: their operations are born completed, and lie beside the queue.
const (
	kindSubscribeToTone       operation.Kind = "subscribeToTone"
	kindMute                  operation.Kind = "muteParticipant"
	kindUnmute                operation.Kind = "unmuteParticipant"
	kindUpdateRecordingStatus operation.Kind = "updateRecordingStatus"
)

// typeOf names the resource of a kind; a platform's own that says nothing else is what all kinds
// derive from.
func typeOf(k operation.Kind) string {
	switch k {
	case operation.KindPlayPrompt:
		return typePrefix + "playPromptOperation"
	case operation.KindRecordResponse:
		return typePrefix + "recordOperation"
	case operation.KindCancelMediaProcessing:
		return typePrefix + "cancelMediaProcessingOperation"
	case kindSubscribeToTone:
		return typePrefix + "subscribeToToneOperation"
	case operation.KindSendTones, kindMute, kindUnmute, kindUpdateRecordingStatus:
		return typePrefix + string(k) + "Operation"
	default:
		return typePrefix + "commsOperation"
	}
}

// created shows an operation to who made it.
func (s *kinds) created(op *operation.Operation, status operation.Status) any {
	kind := kindOf(op)
	n := newOperation{
		Type: s.typeOf(kind), ID: op.ID().String(), Status: status.String(),
		ClientContext: orNull(op.ClientContext()),
	}
	if kind == operation.KindRecordResponse {
		return &newRecord{newOperation: n}
	}
	return &n
}

// read shows an operation as it is. Live operations of one list are given which status they had at
// the list's instant.
func (s *kinds) read(op *operation.Operation, status operation.Status) *operationResource {
	kind := kindOf(op)
	o := &operationResource{
		Type: s.typeOf(kind), ID: op.ID().String(), Status: status.String(),
		ClientContext: orNull(op.ClientContext()),
	}
	result, ended := op.Result()
	if !ended || !status.Terminal() || bornCompleted(kind) {
		return o
	}
	o.CompletionReason = orNull(result.Reason.CompletionReason(kind))
	if kind == operation.KindSendTones {
		o.Status = operation.Completed.String()
		return o
	}
	o.ResultInfo = resultInfoOf(result)
	o.Outcome = s.outcomeOf(kind, result)
	if kind == operation.KindRecordResponse {
		o.Location, o.AccessToken = recordingOf(result.Reason, result.Recording)
	}
	return o
}

// bornCompleted reports whether operations of the kind had ended when the client heard of them.
func bornCompleted(k operation.Kind) bool {
	switch k {
	case operation.KindCancelMediaProcessing, kindSubscribeToTone, kindMute, kindUnmute,
		kindUpdateRecordingStatus:
		return true
	default:
		return false
	}
}

// ended shows an operation's end to the bot.
func (s *kinds) ended(
	url string, op *operation.Operation, rec operation.Recording, outcome json.RawMessage,
) *operationChange {
	result, _ := op.Result()
	kind := kindOf(op)
	o := &operationChange{
		Type: s.typeOf(kind), ODataID: url, ETag: operationETag(op.Status()), ID: op.ID().String(),
		ClientContext: orNull(op.ClientContext()), Status: op.Status().String(),
		ResultInfo: resultInfoOf(result), Outcome: outcome,
	}
	why := orNull(result.Reason.CompletionReason(kind))
	switch kind {
	case operation.KindPlayPrompt:
		o.CompletionReason = &why
	case operation.KindRecordResponse:
		o.CompletionReason = &why
		o.Location, o.AccessToken = recordingOf(result.Reason, rec)
	case operation.KindSendTones: // completed whatever it was, no resultInfo: as its page has it
		o.CompletionReason = &why
		o.Status, o.ResultInfo = operation.Completed.String(), nil
	default: // no other has one
	}
	return o
}

// settle gives the end of an operation what has come later than its result.
func (o *operationChange) settle(rec operation.Recording, outcome json.RawMessage) {
	if o.Location != nil {
		o.Location, o.AccessToken = &rec.Location, &rec.AccessToken
	}
	if outcome != nil {
		o.Outcome = outcome
	}
}

// kindOf asks the request of an operation for its kind. A request of the platform's that panics
// there has none.
func kindOf(op *operation.Operation) (k operation.Kind) {
	defer func() { _ = recover() }()
	return op.Kind()
}

// recordingOf shows a recording. That of a cancelled record is empty, as its page has it, even if
// the media has kept something.
func recordingOf(why operation.Reason, r operation.Recording) (location, token *string) {
	if errors.Is(why, operation.Cancelled) {
		r = operation.Recording{}
	}
	return &r.Location, &r.AccessToken
}

// operationETag changes whenever the operation does: an operation changes with its status.
func operationETag(s operation.Status) string { return etag(uint64(s)) }

func etag(version uint64) string { return `W/"` + strconv.FormatUint(version, 10) + `"` }

// dashless writes an id as the page on cancelMediaProcessing does in resourceUrl.
func dashless(id uuid.UUID) string { return strings.ToUpper(hex.EncodeToString(id[:])) }

// parseID reads an id in either form: with dashes, or the 32 hexadecimal digits alone.
func parseID(s string) (uuid.UUID, bool) {
	if len(s) != 36 && len(s) != 32 {
		return uuid.Nil, false
	}
	id, err := uuid.Parse(s)
	return id, err == nil
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
