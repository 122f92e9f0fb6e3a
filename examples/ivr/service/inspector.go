package service

import (
	"context"
	"encoding/json"
	"net/http"

	"ivrqueue/graph"
	"ivrqueue/inspect"
)

// InspectorPath is where the authors of bots see their calls in a browser, with Dev. It takes a
// token of theirs as the other helpers do, or as the password that a browser asks for.
const InspectorPath = inspect.DefaultPath

// ownerKey is of the application in a request's context that looks at its calls.
type ownerKey struct{}

func newInspector(o *Options) (*inspect.Handler, error) {
	opts := []inspect.Option{
		inspect.WithOwner(func(r *http.Request) (string, bool) {
			owner, _ := r.Context().Value(ownerKey{}).(string)
			return owner, false
		}),
	}
	if o.ShowKeys {
		opts = append(opts, inspect.WithKeyValues())
	}
	return inspect.New(append(opts, o.Inspector...)...)
}

// showCalls lets an application look at its calls, and at no others.
func (s *Service) showCalls(w http.ResponseWriter, r *http.Request) {
	if _, password, ok := r.BasicAuth(); ok {
		r = r.Clone(r.Context())
		r.Header.Set("Authorization", "Bearer "+password)
	}
	app, ok := s.admit(w, r, `Basic realm="Calls: the password is a token"`, "Bearer")
	if !ok {
		return
	}
	s.inspector.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), ownerKey{}, app.ID)))
}

// inspected has a call shown. If there is no room, or no inspector, it is not, and that is all.
func (s *Service) inspected(c *call, resource *graph.Resource) {
	if s.inspector == nil {
		return
	}
	labels := labelsOf(resource)
	if c.sip != nil {
		id := clip(c.sip.ID(), inspect.MaxLabelValue)
		labels = append(labels, inspect.Label{Name: "SIP Call-ID", Value: id})
	}
	c.shown, _ = s.inspector.Attach(inspect.Attachment{
		Queue: c.queue, Tones: c.tones, ID: c.id, Owner: c.owner, Labels: labels,
	})
}

// labelsOf says by whom a call is known, as far as that is a phone number.
func labelsOf(r *graph.Resource) (labels []inspect.Label) {
	type party struct {
		Identity struct {
			Phone struct {
				ID string `json:"id"`
			} `json:"phone"`
		} `json:"identity"`
	}
	var from party
	var to []party
	_ = json.Unmarshal(r.Source, &from) // what has none has no label
	_ = json.Unmarshal(r.Targets, &to)
	add := func(name, number string) {
		if number != "" && len(number) <= inspect.MaxLabelValue {
			labels = append(labels, inspect.Label{Name: name, Value: number})
		}
	}
	add("From", from.Identity.Phone.ID)
	if len(to) > 0 {
		add("To", to[0].Identity.Phone.ID)
	}
	return labels
}
