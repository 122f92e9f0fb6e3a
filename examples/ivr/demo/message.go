package demo

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strings"
)

// resource is what matters of a call or an operation, in an answer or a notification.
type resource struct {
	Type          string `json:"@odata.type"`
	ID            string `json:"id"`
	ClientContext string `json:"clientContext"`
	Status        string `json:"status"` // of an operation
	State         string `json:"state"`  // of a call
	ResultInfo    *struct {
		Code    int `json:"code"`
		Subcode int `json:"subcode"`
	} `json:"resultInfo"`
	CompletionReason string `json:"completionReason"`
	MediaState       *struct {
		Audio string `json:"audio"`
	} `json:"mediaState"`
	ToneInfo *struct {
		Tone string `json:"tone"`
	} `json:"toneInfo"`
}

// kind is the type without its namespace.
func (r resource) kind() string { return strings.TrimPrefix(r.Type, "#microsoft.graph.") }

// news is what is new of the resource: the result of an operation, a key, or the state of a call.
func (r resource) news() string {
	switch {
	case r.ToneInfo != nil:
		return r.ToneInfo.Tone
	case r.State != "" && r.MediaState != nil && r.MediaState.Audio != "":
		return r.State + ", audio " + r.MediaState.Audio
	case r.State != "":
		return r.State
	}
	return strings.Join(strings.Fields(r.Status+" "+r.result()), " ")
}

// result is how an operation has ended; empty before that.
func (r resource) result() string {
	if r.ResultInfo == nil {
		return ""
	}
	return fmt.Sprintf("%d/%d %s", r.ResultInfo.Code, r.ResultInfo.Subcode, r.CompletionReason)
}

// request is what matters of a request's body.
type request struct {
	ClientContext string `json:"clientContext"`
	Prompts       []struct {
		MediaInfo struct {
			URI string `json:"uri"`
		} `json:"mediaInfo"`
	} `json:"prompts"`
	Loop      bool     `json:"loop"`
	BargeIn   bool     `json:"bargeInAllowed"`
	StopTones []string `json:"stopTones"`
	Targets   []struct {
		Identity struct {
			Phone struct {
				ID string `json:"id"`
			} `json:"phone"`
		} `json:"identity"`
	} `json:"targets"`
	Tones string `json:"tones"`
}

// asks is what the request asks for.
func (r request) asks() string {
	var all []string
	for _, t := range r.Targets {
		all = append(all, "to "+t.Identity.Phone.ID)
	}
	for _, p := range r.Prompts {
		all = append(all, file(p.MediaInfo.URI))
	}
	if r.Loop {
		all = append(all, "in a loop")
	}
	if r.BargeIn {
		all = append(all, "barges in")
	}
	if len(r.StopTones) > 0 {
		all = append(all, "until "+strings.Join(r.StopTones, " "))
	}
	return strings.Join(all, ", ")
}

// file is the name of the file that a URI is of.
func file(uri string) string {
	name := path.Base(uri[strings.LastIndex(uri, ":")+1:])
	if plain, err := url.PathUnescape(name); err == nil {
		return plain
	}
	return name
}

// requestRow is the line of a request.
func requestRow(method, target, body string) row {
	var r request
	_ = json.Unmarshal([]byte(body), &r) // one without a body asks for nothing
	if r.Tones != "" {
		return row{who: "caller", what: "presses " + r.Tones, style: pressed}
	}
	action := path.Base(target)
	if method == http.MethodDelete {
		action = "call"
	}
	if strings.HasPrefix(target, "/recordings/") {
		action = "recording"
	}
	return row{
		who: "bot", what: method + " " + action, context: r.ClientContext, details: r.asks(),
		style: asked,
	}
}

// answerRow is the line of an answer.
func answerRow(status int, body []byte) row {
	r := row{
		who: "answer", what: fmt.Sprintf("%d %s", status, http.StatusText(status)), style: answered,
	}
	if status >= http.StatusBadRequest {
		r.style = refused
	}
	var res resource
	if len(body) == 0 || json.Unmarshal(body, &res) != nil {
		return r // a file, or nothing
	}
	r.context, r.id, r.details = res.ClientContext, short(res.ID), res.news()
	return r
}

// notificationRow is the line of a notification.
func notificationRow(res resource) row {
	r := row{
		who: "notified", what: res.kind(), context: res.ClientContext, id: short(res.ID),
		details: res.news(), style: notified,
	}
	switch {
	case res.Status == "failed":
		r.style = failed
	case res.Status == "completed":
		r.style = completed
	case res.ToneInfo != nil:
		r.style = pressed
	}
	return r
}

// short is as much of an id as distinguishes one from another.
func short(id string) string {
	first, _, _ := strings.Cut(id, "-")
	return first
}
