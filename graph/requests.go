package graph

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"ivrqueue/egress"
	"ivrqueue/operation"
	"ivrqueue/tone"
)

// The bodies of requests. A member that may be absent is a pointer where its zero value says
// something else; enum values are taken in any letter case.

type actionBody struct {
	ClientContext string `json:"clientContext"`
}

type promptBody struct {
	Type      string `json:"@odata.type"`
	MediaInfo *struct {
		URI        string          `json:"uri"`
		ResourceID string          `json:"resourceId"`
		Loop       json.RawMessage `json:"loop"`
	} `json:"mediaInfo"`
	Loop json.RawMessage `json:"loop"`
}

type playPromptBody struct {
	actionBody

	Prompts []*promptBody `json:"prompts"`
	Loop    bool          `json:"loop"` // in beta, as Graph has it; we take it everywhere
}

func (b *playPromptBody) request() (*operation.PlayPrompt, error) {
	prompts, err := promptsOf(b.Prompts)
	if err != nil {
		return nil, err
	}
	return &operation.PlayPrompt{Prompts: prompts, Loop: b.Loop}, nil
}

type recordResponseBody struct {
	actionBody

	Prompts                        []*promptBody   `json:"prompts"`
	BargeInAllowed                 bool            `json:"bargeInAllowed"`
	InitialSilenceTimeoutInSeconds json.RawMessage `json:"initialSilenceTimeoutInSeconds"`
	MaxSilenceTimeoutInSeconds     json.RawMessage `json:"maxSilenceTimeoutInSeconds"`
	MaxRecordDurationInSeconds     json.RawMessage `json:"maxRecordDurationInSeconds"`
	PlayBeep                       *bool           `json:"playBeep"`
	StopTones                      []*string       `json:"stopTones"`
	Loop                           bool            `json:"loop"`
}

func (b *recordResponseBody) request() (*operation.RecordResponse, error) {
	if b.Loop {
		return nil, malformed("RecordAction: Loop not supported.")
	}
	prompts, err := promptsOf(b.Prompts)
	if err != nil {
		return nil, err
	}
	req := &operation.RecordResponse{
		Prompts: prompts, BargeIn: b.BargeInAllowed, NoBeep: b.PlayBeep != nil && !*b.PlayBeep,
	}
	for _, t := range []struct {
		member string
		given  json.RawMessage
		to     *time.Duration
	}{
		{"initialSilenceTimeoutInSeconds", b.InitialSilenceTimeoutInSeconds, &req.InitialSilence},
		{"maxSilenceTimeoutInSeconds", b.MaxSilenceTimeoutInSeconds, &req.MaxSilence},
		{"maxRecordDurationInSeconds", b.MaxRecordDurationInSeconds, &req.MaxDuration},
	} {
		seconds, given, err := wholeNumber(t.member, t.given,
			int32(operation.MinRecordTime/time.Second), int32(operation.MaxRecordTime/time.Second))
		if err != nil {
			return nil, err
		}
		if given {
			*t.to = time.Duration(seconds) * time.Second
		}
	}
	for i, s := range b.StopTones {
		t, ok := toneOf(s)
		if !ok {
			return nil, invalid(fmt.Sprintf("stopTones[%d]", i), quoted(s),
				"one of 0 to 9, #, *, A to D")
		}
		req.StopTones |= tone.SetOf(t)
	}
	return req, nil
}

// toneOf reads a stop tone: the key's character, as the page shows it, or the tone's name.
func toneOf(s *string) (tone.Tone, bool) {
	switch {
	case s == nil:
		return 0, false
	case len(*s) == 1:
		t, err := tone.FromChar(rune((*s)[0]))
		return t, err == nil
	default:
		t, err := tone.Parse(strings.ToLower(*s))
		return t, err == nil
	}
}

// quoted shows an element of a list that is wrong.
func quoted(s *string) string {
	if s == nil {
		return "null"
	}
	return fmt.Sprintf("%.40q", *s)
}

func promptsOf(bodies []*promptBody) ([]operation.Prompt, error) {
	prompts := make([]operation.Prompt, 0, len(bodies))
	for i, b := range bodies {
		at := fmt.Sprintf("prompts[%d]", i)
		switch {
		case b == nil:
			return nil, invalid(at, "null", "a mediaPrompt")
		case b.Type != "" && !isType(b.Type, "mediaPrompt"):
			return nil, invalid(at+".@odata.type", fmt.Sprintf("%.80q", b.Type),
				typePrefix+"mediaPrompt")
		case b.MediaInfo == nil:
			return nil, invalid(at+".mediaInfo", "missing", "a mediaInfo")
		}
		if err := cmp.Or(noLoop(at, b.Loop), noLoop(at+".mediaInfo", b.MediaInfo.Loop)); err != nil {
			return nil, err
		}
		p := operation.Prompt{URI: b.MediaInfo.URI, ResourceID: b.MediaInfo.ResourceID}
		if err := checkLength(at+".mediaInfo.uri", p.URI, MaxURI); err != nil {
			return nil, err
		}
		err := checkLength(at+".mediaInfo.resourceId", p.ResourceID, MaxResourceID)
		if err != nil {
			return nil, err
		}
		if p.URI, err = promptURI(at+".mediaInfo.uri", p.URI); err != nil {
			return nil, err
		}
		prompts = append(prompts, p)
	}
	return prompts, nil
}

// noLoop refuses the loop of a prompt, which was a number in beta until 2019: it would be played
// once, and the caller hear silence.
func noLoop(at string, loop json.RawMessage) error {
	switch string(loop) {
	case "", "null", "false":
		return nil
	default:
		return invalid(at+".loop", cut(string(loop), 40),
			"left out: a prompt is played once, and loop is a member of playPrompt's body")
	}
}

// promptURI returns a prompt's URI as it goes on the wire, if it is that of an HTTP server. All
// else is for the platform to understand.
func promptURI(member, uri string) (string, error) {
	scheme, _, _ := strings.Cut(strings.TrimSpace(uri), ":")
	if !strings.EqualFold(scheme, "https") && !strings.EqualFold(scheme, "http") {
		return uri, nil
	}
	if u, must := egress.ParseURL(uri); u == nil {
		return "", invalid(member, fmt.Sprintf("%.200q", uri), cmp.Or(must, "an absolute URI"))
	}
	return egress.EscapeURL(uri), nil
}

func isType(given, want string) bool {
	return strings.EqualFold(strings.TrimPrefix(given, "#"), typePrefix[1:]+want)
}

type callBody struct {
	CallbackURI             string          `json:"callbackUri"`
	Source                  members         `json:"source"`
	Targets                 []members       `json:"targets"`
	RequestedModalities     []*string       `json:"requestedModalities"`
	MediaConfig             members         `json:"mediaConfig"`
	ChatInfo                members         `json:"chatInfo"`
	MeetingInfo             members         `json:"meetingInfo"`
	TenantID                string          `json:"tenantId"`
	Subject                 string          `json:"subject"`
	RingingTimeoutInSeconds json.RawMessage `json:"ringingTimeoutInSeconds"`
}

// members are those of an object that is passed on as it came.
type members map[string]json.RawMessage

// name returns how the object spells the name of a member; as given if it has none.
func (m members) name(member string) string {
	for spelt := range m {
		if strings.EqualFold(spelt, member) { // no other is: of such names the last one was kept
			return spelt
		}
	}
	return member
}

var modalities = []string{"audio", "video", "videoBasedScreenSharing", "data"}

// resource is the call that is wished for, as it will show itself.
func (b *callBody) resource(source Application) (Resource, error) {
	r := Resource{Direction: "outgoing", Subject: b.Subject, TenantID: b.TenantID}
	if err := checkLength("subject", b.Subject, MaxSubject); err != nil {
		return r, err
	}
	if err := checkLength("tenantId", b.TenantID, MaxTenantID); err != nil {
		return r, err
	}
	var err error
	r.RingingTimeoutInSeconds, _, err = wholeNumber(
		"ringingTimeoutInSeconds", b.RingingTimeoutInSeconds, 0, MaxRinging)
	if err != nil {
		return r, err
	}
	r.RequestedModalities, err = modalitiesOf("requestedModalities", b.RequestedModalities)
	if err != nil {
		return r, err
	}
	if r.Targets, err = targetsOf(b.Targets); err != nil {
		return r, err
	}
	if r.MediaConfig, err = mediaConfigOf(b.MediaConfig); err != nil {
		return r, err
	}
	r.Source = sourceOf(b.Source, source)
	r.ChatInfo = b.ChatInfo.shown("replyChainMessageId")
	r.MeetingInfo = b.MeetingInfo.shown()
	n := len(r.Targets) + len(r.MediaConfig) + len(r.ChatInfo) + len(r.MeetingInfo)
	if b.Source != nil {
		n += len(r.Source)
	}
	if n > MaxCallDescription {
		return r, invalid("source, targets, mediaConfig, chatInfo and meetingInfo",
			fmt.Sprintf("%d bytes", n), fmt.Sprintf("at most %d", MaxCallDescription))
	}
	return r, nil
}

// shown writes the object, with these members as null if it has none of their names; nothing for no
// object.
func (m members) shown(nullable ...string) json.RawMessage {
	if m == nil {
		return nil
	}
	for _, member := range nullable {
		if member = m.name(member); m[member] == nil {
			m[member] = json.RawMessage("null")
		}
	}
	text, _ := json.Marshal(m) // it was read, so it can be written
	return text
}

func modalitiesOf(member string, given []*string) ([]string, error) {
	if len(given) == 0 {
		return []string{"audio"}, nil
	}
	if err := checkCount(member, len(given), len(modalities)); err != nil {
		return nil, err
	}
	taken := make([]string, len(given))
	for i, s := range given {
		known := slices.IndexFunc(modalities, func(m string) bool {
			return s != nil && strings.EqualFold(m, *s)
		})
		if known < 0 {
			return nil, invalid(fmt.Sprintf("%s[%d]", member, i), quoted(s),
				"one of "+strings.Join(modalities, ", "))
		}
		taken[i] = modalities[known]
	}
	return taken, nil
}

func targetsOf(given []members) (json.RawMessage, error) {
	if err := checkCount("targets", len(given), MaxTargets); err != nil {
		return nil, err
	}
	targets := make([]json.RawMessage, len(given))
	for i, t := range given {
		if t == nil {
			return nil, invalid(fmt.Sprintf("targets[%d]", i), "null", "an invitationParticipantInfo")
		}
		targets[i] = t.shown("endpointType", "replacesCallId")
	}
	return json.Marshal(targets)
}

func mediaConfigOf(given members) (json.RawMessage, error) {
	const hosted = "serviceHostedMediaConfig"
	var kind *string
	name := given.name("@odata.type")
	if raw, ok := given[name]; ok && json.Unmarshal(raw, &kind) != nil {
		return nil, invalid("mediaConfig.@odata.type", "no string", typePrefix+hosted)
	}
	switch {
	case kind == nil:
		if given == nil {
			given = members{}
		}
		given[name] = json.RawMessage(`"` + typePrefix + hosted + `"`)
	case isType(*kind, "appHostedMediaConfig"):
		return nil, invalid("mediaConfig", "application-hosted", "service-hosted: no other is supported")
	case !isType(*kind, hosted):
		return nil, invalid("mediaConfig.@odata.type", fmt.Sprintf("%.80q", *kind), typePrefix+hosted)
	}
	return given.shown(), nil
}

// sourceOf shows who makes a call: what the client says, as that of a call to a telephone has an
// instance of the application with a number; else the application.
func sourceOf(given members, a Application) json.RawMessage {
	if given == nil {
		given = members{"@odata.type": json.RawMessage(`"` + typePrefix + `participantInfo"`)}
	}
	identity := given.name("identity")
	if is := given[identity]; is == nil || string(is) == "null" {
		given[identity] = identityOf(a)
	}
	return given.shown("countryCode", "endpointType", "region", "languageId")
}

// identityOf shows an application as an identitySet.
func identityOf(a Application) json.RawMessage {
	type identity struct {
		Type        string `json:"@odata.type"`
		DisplayName string `json:"displayName"`
		ID          string `json:"id"`
	}
	text, _ := json.Marshal(struct { // strings can always be encoded
		Type        string   `json:"@odata.type"`
		Application identity `json:"application"`
	}{typePrefix + "identitySet", identity{typePrefix + "identity", a.Name, a.ID}})
	return text
}
