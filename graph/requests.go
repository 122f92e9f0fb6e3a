package graph

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

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
		URI        string `json:"uri"`
		ResourceID string `json:"resourceId"`
	} `json:"mediaInfo"`
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

	Prompts                        []*promptBody `json:"prompts"`
	BargeInAllowed                 bool          `json:"bargeInAllowed"`
	InitialSilenceTimeoutInSeconds *int32        `json:"initialSilenceTimeoutInSeconds"`
	MaxSilenceTimeoutInSeconds     *int32        `json:"maxSilenceTimeoutInSeconds"`
	MaxRecordDurationInSeconds     *int32        `json:"maxRecordDurationInSeconds"`
	PlayBeep                       *bool         `json:"playBeep"`
	StopTones                      []string      `json:"stopTones"`
	Loop                           bool          `json:"loop"`
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
		given  *int32
		to     *time.Duration
	}{
		{"initialSilenceTimeoutInSeconds", b.InitialSilenceTimeoutInSeconds, &req.InitialSilence},
		{"maxSilenceTimeoutInSeconds", b.MaxSilenceTimeoutInSeconds, &req.MaxSilence},
		{"maxRecordDurationInSeconds", b.MaxRecordDurationInSeconds, &req.MaxDuration},
	} {
		if t.given == nil {
			continue
		}
		*t.to = time.Duration(*t.given) * time.Second
		if *t.to < operation.MinRecordTime || *t.to > operation.MaxRecordTime {
			return nil, invalid(t.member, strconv.Itoa(int(*t.given)), fmt.Sprintf("%.0f to %.0f",
				operation.MinRecordTime.Seconds(), operation.MaxRecordTime.Seconds()))
		}
	}
	for i, s := range b.StopTones {
		t, ok := toneOf(s)
		if !ok {
			return nil, invalid(fmt.Sprintf("stopTones[%d]", i), fmt.Sprintf("%.20q", s),
				"one of 0 to 9, #, *, A to D")
		}
		req.StopTones |= tone.SetOf(t)
	}
	return req, nil
}

// toneOf reads a stop tone: the key's character, as the page shows it, or the tone's name.
func toneOf(s string) (tone.Tone, bool) {
	if len(s) == 1 {
		t, err := tone.FromChar(rune(s[0]))
		return t, err == nil
	}
	t, err := tone.Parse(strings.ToLower(s))
	return t, err == nil
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
		p := operation.Prompt{URI: b.MediaInfo.URI, ResourceID: b.MediaInfo.ResourceID}
		if err := checkLength(at+".mediaInfo.uri", p.URI, MaxURI); err != nil {
			return nil, err
		}
		err := checkLength(at+".mediaInfo.resourceId", p.ResourceID, MaxResourceID)
		if err != nil {
			return nil, err
		}
		prompts = append(prompts, p)
	}
	return prompts, nil
}

func isType(given, want string) bool {
	return strings.EqualFold(strings.TrimPrefix(given, "#"), typePrefix[1:]+want)
}

type callBody struct {
	CallbackURI             string    `json:"callbackUri"`
	Targets                 []members `json:"targets"`
	RequestedModalities     []string  `json:"requestedModalities"`
	MediaConfig             members   `json:"mediaConfig"`
	Subject                 string    `json:"subject"`
	RingingTimeoutInSeconds int32     `json:"ringingTimeoutInSeconds"`
}

// members are those of an object that is passed on as it came.
type members map[string]json.RawMessage

var modalities = []string{"audio", "video", "videoBasedScreenSharing", "data"}

// resource is the call that is wished for, as it will show itself.
func (b *callBody) resource(source Application) (Resource, error) {
	r := Resource{
		Direction: "outgoing", Subject: b.Subject, RingingTimeoutInSeconds: b.RingingTimeoutInSeconds,
		Source: participant(source),
	}
	if err := checkLength("subject", b.Subject, MaxSubject); err != nil {
		return r, err
	}
	if t := b.RingingTimeoutInSeconds; t < 0 || t > MaxRinging {
		return r, invalid("ringingTimeoutInSeconds", strconv.Itoa(int(t)),
			fmt.Sprintf("0 to %d", MaxRinging))
	}
	var err error
	if r.RequestedModalities, err = modalitiesOf(b.RequestedModalities); err != nil {
		return r, err
	}
	if r.Targets, err = targetsOf(b.Targets); err != nil {
		return r, err
	}
	if r.MediaConfig, err = mediaConfigOf(b.MediaConfig); err != nil {
		return r, err
	}
	if n := len(r.Targets) + len(r.MediaConfig); n > MaxCallDescription {
		return r, invalid("targets and mediaConfig", fmt.Sprintf("%d bytes", n),
			fmt.Sprintf("at most %d", MaxCallDescription))
	}
	return r, nil
}

func modalitiesOf(given []string) ([]string, error) {
	if len(given) == 0 {
		return []string{"audio"}, nil
	}
	if err := checkCount("requestedModalities", len(given), len(modalities)); err != nil {
		return nil, err
	}
	taken := make([]string, len(given))
	for i, s := range given {
		known := slices.IndexFunc(modalities, func(m string) bool { return strings.EqualFold(m, s) })
		if known < 0 {
			return nil, invalid(fmt.Sprintf("requestedModalities[%d]", i), fmt.Sprintf("%.40q", s),
				"one of "+strings.Join(modalities, ", "))
		}
		taken[i] = modalities[known]
	}
	return taken, nil
}

func targetsOf(given []members) (json.RawMessage, error) {
	if given == nil {
		return nil, nil
	}
	if err := checkCount("targets", len(given), MaxTargets); err != nil {
		return nil, err
	}
	for i, t := range given {
		if t == nil {
			return nil, invalid(fmt.Sprintf("targets[%d]", i), "null", "an invitationParticipantInfo")
		}
		for _, member := range []string{"endpointType", "replacesCallId"} { // shown even if null
			if _, ok := t[member]; !ok {
				t[member] = json.RawMessage("null")
			}
		}
	}
	return json.Marshal(given)
}

func mediaConfigOf(given members) (json.RawMessage, error) {
	const hosted = "serviceHostedMediaConfig"
	var kind *string
	if raw, ok := given["@odata.type"]; ok && json.Unmarshal(raw, &kind) != nil {
		return nil, invalid("mediaConfig.@odata.type", "no string", typePrefix+hosted)
	}
	switch {
	case kind == nil:
		if given == nil {
			given = members{}
		}
		given["@odata.type"] = json.RawMessage(`"` + typePrefix + hosted + `"`)
	case isType(*kind, "appHostedMediaConfig"):
		return nil, invalid("mediaConfig", "application-hosted", "service-hosted: no other is supported")
	case !isType(*kind, hosted):
		return nil, invalid("mediaConfig.@odata.type", fmt.Sprintf("%.80q", *kind), typePrefix+hosted)
	}
	return json.Marshal(given)
}

// participant shows the application that makes a call as the call's source.
func participant(a Application) json.RawMessage {
	type identity struct {
		Type        string `json:"@odata.type"`
		DisplayName string `json:"displayName"`
		ID          string `json:"id"`
	}
	type identitySet struct {
		Type        string   `json:"@odata.type"`
		Application identity `json:"application"`
	}
	data, _ := json.Marshal(struct { // strings can always be encoded
		Type         string      `json:"@odata.type"`
		Identity     identitySet `json:"identity"`
		CountryCode  any         `json:"countryCode"`
		EndpointType any         `json:"endpointType"`
		Region       any         `json:"region"`
		LanguageID   any         `json:"languageId"`
	}{
		Type: typePrefix + "participantInfo",
		Identity: identitySet{typePrefix + "identitySet", identity{
			typePrefix + "identity", a.Name, a.ID,
		}},
	})
	return data
}
