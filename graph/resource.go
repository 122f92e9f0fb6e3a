package graph

import (
	"encoding/hex"
	"encoding/json"
	"errors"
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

func resultInfoOf(r operation.Reason) *resultInfo {
	return newResultInfo(ResultInfo{r.Code(), r.Subcode(), r.Message()})
}

type toneInfo struct {
	Type       string    `json:"@odata.type"`
	SequenceID uint64    `json:"sequenceId"`
	Tone       tone.Tone `json:"tone"`
}

// Resource is what a call shows of itself besides what the handler knows: whom it connects. It is
// read from the request that creates a call, and shown as it is. The members of Source, Targets and
// MediaConfig are the platform's affair; null where empty.
type Resource struct {
	Direction               string          // incoming or outgoing
	Source                  json.RawMessage // participantInfo
	Targets                 json.RawMessage // a list of invitationParticipantInfo
	RequestedModalities     []string
	MediaConfig             json.RawMessage // serviceHostedMediaConfig
	Subject                 string
	RingingTimeoutInSeconds int32
	CallChainID             string // a random one if empty
	MyParticipantID         string // a random one if empty
}

// callResource is a call as the create and get pages show it.
type callResource struct {
	Type                    string          `json:"@odata.type"`
	State                   CallState       `json:"state"`
	Direction               string          `json:"direction"`
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
	ChatInfo                any             `json:"chatInfo"`
	MeetingInfo             any             `json:"meetingInfo"`
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
	Type       string          `json:"@odata.type"`
	ODataID    string          `json:"@odata.id"`
	ETag       string          `json:"@odata.etag"`
	State      CallState       `json:"state"`
	MediaState *callMediaState `json:"mediaState,omitempty"`
	ToneInfo   *toneInfo       `json:"toneInfo,omitempty"`
	ResultInfo *resultInfo     `json:"resultInfo,omitempty"`
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
	ResultInfo       *resultInfo `json:"resultInfo"`
	Location         *string     `json:"recordingLocation,omitempty"`    // of a record
	AccessToken      *string     `json:"recordingAccessToken,omitempty"` // as well
	CompletionReason *string     `json:"completionReason"`
}

// notifications is the envelope of a batch.
type notifications struct {
	Type  string         `json:"@odata.type"`
	Value []notification `json:"value"`
}

type notification struct {
	Type         string `json:"@odata.type"`
	ChangeType   string `json:"changeType"`
	ResourceURL  string `json:"resourceUrl"`
	ResourceData any    `json:"resourceData"`
}

const kindSubscribeToTone operation.Kind = "subscribeToTone"

// typeOf names the resource of a kind; a platform's own kind is what all kinds derive from.
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
	default:
		return typePrefix + "commsOperation"
	}
}

// created shows an operation to who made it.
func created(op *operation.Operation, status operation.Status) any {
	kind := kindOf(op)
	n := newOperation{
		Type: typeOf(kind), ID: op.ID().String(), Status: status.String(),
		ClientContext: orNull(op.ClientContext()),
	}
	if kind == operation.KindRecordResponse {
		return &newRecord{newOperation: n}
	}
	return &n
}

// read shows an operation as it is. Live operations of one list are told which status they had at
// the list's instant.
func read(op *operation.Operation, status operation.Status) *operationResource {
	kind := kindOf(op)
	o := &operationResource{
		Type: typeOf(kind), ID: op.ID().String(), Status: status.String(),
		ClientContext: orNull(op.ClientContext()),
	}
	result, ended := op.Result()
	if !ended || !status.Terminal() || kind == operation.KindCancelMediaProcessing ||
		kind == kindSubscribeToTone {
		return o
	}
	o.ResultInfo = resultInfoOf(result.Reason)
	o.CompletionReason = orNull(result.Reason.CompletionReason(kind))
	if kind == operation.KindRecordResponse {
		o.Location, o.AccessToken = recordingOf(result.Reason, result.Recording)
	}
	return o
}

// ended shows an operation's end to the bot.
func ended(call uuid.UUID, op *operation.Operation, rec operation.Recording) *operationChange {
	result, _ := op.Result()
	kind := kindOf(op)
	o := &operationChange{
		Type: typeOf(kind), ODataID: callURL(call) + "/operations/" + dashless(op.ID()),
		ETag: operationETag(op.Status()), ID: op.ID().String(),
		ClientContext: orNull(op.ClientContext()), Status: op.Status().String(),
		ResultInfo:       resultInfoOf(result.Reason),
		CompletionReason: orNull(result.Reason.CompletionReason(kind)),
	}
	if kind == operation.KindRecordResponse {
		o.Location, o.AccessToken = recordingOf(result.Reason, rec)
	}
	return o
}

// record gives the end of a record its recording, which has come later than its result.
func (o *operationChange) record(rec operation.Recording) {
	o.Location, o.AccessToken = &rec.Location, &rec.AccessToken
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

// callURL is a call's resourceUrl, with the id in the form that the pages of notifications have.
func callURL(id uuid.UUID) string { return "/communications/calls/" + dashless(id) }

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
