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
	return &operation.PlayPrompt{Prompts: prompts, Loop: b.Loop}, err
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
		prompts = append(prompts, operation.Prompt{
			URI: b.MediaInfo.URI, ResourceID: b.MediaInfo.ResourceID,
		})
	}
	return prompts, nil
}

func isType(given, want string) bool {
	return strings.EqualFold(strings.TrimPrefix(given, "#"), typePrefix[1:]+want)
}

type callBody struct {
	CallbackURI             string           `json:"callbackUri"`
	Targets                 []map[string]any `json:"targets"`
	RequestedModalities     []string         `json:"requestedModalities"`
	MediaConfig             map[string]any   `json:"mediaConfig"`
	Subject                 string           `json:"subject"`
	RingingTimeoutInSeconds int32            `json:"ringingTimeoutInSeconds"`
}

var modalities = []string{"audio", "video", "videoBasedScreenSharing", "data"}

// resource is the call that is wished for, as it will show itself.
func (b *callBody) resource(source Application) (Resource, error) {
	r := Resource{
		Direction: "outgoing", Subject: b.Subject, RingingTimeoutInSeconds: b.RingingTimeoutInSeconds,
		Source: participant(source),
	}
	for i, s := range b.RequestedModalities {
		known := slices.IndexFunc(modalities, func(m string) bool { return strings.EqualFold(m, s) })
		if known < 0 {
			return r, invalid(fmt.Sprintf("requestedModalities[%d]", i), fmt.Sprintf("%.40q", s),
				"one of "+strings.Join(modalities, ", "))
		}
		r.RequestedModalities = append(r.RequestedModalities, modalities[known])
	}
	if len(r.RequestedModalities) == 0 {
		r.RequestedModalities = []string{"audio"}
	}
	const hosted = "serviceHostedMediaConfig"
	switch t := b.MediaConfig["@odata.type"].(type) {
	case nil:
		if b.MediaConfig == nil {
			b.MediaConfig = map[string]any{}
		}
		b.MediaConfig["@odata.type"] = typePrefix + hosted
	case string:
		if isType(t, "appHostedMediaConfig") {
			return r, invalid("mediaConfig", "application-hosted", "service-hosted: no other is supported")
		}
		if !isType(t, hosted) {
			return r, invalid("mediaConfig.@odata.type", fmt.Sprintf("%.80q", t), typePrefix+hosted)
		}
	default:
		return r, invalid("mediaConfig.@odata.type", "no string", typePrefix+hosted)
	}
	for i, t := range b.Targets {
		if t == nil {
			return r, invalid(fmt.Sprintf("targets[%d]", i), "null", "an invitationParticipantInfo")
		}
		for _, member := range []string{"endpointType", "replacesCallId"} { // shown even if null
			if _, ok := t[member]; !ok {
				t[member] = nil
			}
		}
	}
	// What was decoded can be encoded.
	if b.Targets != nil {
		r.Targets, _ = json.Marshal(b.Targets)
	}
	r.MediaConfig, _ = json.Marshal(b.MediaConfig)
	return r, nil
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
