package service

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"

	"ivrqueue/graph"
	"ivrqueue/operation"
)

// DefaultCaller is who rings if the request says nothing else.
const DefaultCaller = "+15550100"

// ring has a caller ring at the bot of the application whose token it is: POST /dev/calls, with
// {"from":"+15550100"} or without a body. It answers with the call's id; the bot gets the
// notifications.
func (s *Service) ring(w http.ResponseWriter, r *http.Request, app graph.Application) {
	body := struct {
		From string `json:"from"`
	}{DefaultCaller}
	const longest = 256
	wrong := readBody(w, r, &body)
	if wrong != "" || body.From == "" || len(body.From) > longest {
		refuse(w, r, wrong+`The body must be as in {"from":"+15550100"}, or empty.`)
		return
	}
	callback := s.options.bot(app)
	if callback == "" {
		graph.WriteError(w, r, http.StatusNotFound, "itemNotFound",
			"No bot takes calls for this application.")
		return
	}
	c, err := s.newCall(r.Context(), s.handler.Attach, graph.Attachment{
		Application: app.ID, CallbackURI: callback, State: graph.State{Call: graph.Incoming},
		Resource: incomingResource(app, body.From, ""),
	}, nil)
	var field *operation.FieldError
	switch {
	case errors.As(err, &field):
		graph.WriteError(w, r, http.StatusBadRequest, "BadRequest", "The bot's "+field.Error())
		return
	case err != nil:
		s.options.Logger.Error("a call could not come in", slog.Any("error", err))
		unavailableNow(w, r)
		return
	}
	answer(w, http.StatusCreated, map[string]string{"id": c.id.String()})
}

// incomingResource shows a caller's call to an application. The caller may have a name.
func incomingResource(app graph.Application, from, name string) graph.Resource {
	type object = map[string]any
	write := func(v any) json.RawMessage {
		text, _ := json.Marshal(v) // strings can always be encoded
		return text
	}
	identity := func(kind string, is object) object {
		is["@odata.type"] = "#microsoft.graph.identity"
		return object{"@odata.type": "#microsoft.graph.identitySet", kind: is}
	}
	caller := object{"id": from}
	if name != "" {
		caller["displayName"] = name
	}
	return graph.Resource{
		Direction: "incoming", RequestedModalities: []string{"audio"},
		MyParticipantID: uuid.NewString(),
		Source: write(object{
			"@odata.type": "#microsoft.graph.participantInfo", "endpointType": "default",
			"identity": identity("phone", caller),
		}),
		Targets: write([]object{{
			"@odata.type": "#microsoft.graph.invitationParticipantInfo", "endpointType": "default",
			"identity": identity("application", object{"id": app.ID, "displayName": app.Name}),
		}}),
	}
}

// answerCall is for graph: the bot answers.
func (s *Service) answerCall(ctx context.Context, g *graph.Call, a graph.Answer) error {
	if err := needsAudio("acceptedModalities", a.AcceptedModalities); err != nil {
		return err
	}
	c := s.callOf(g)
	if c == nil {
		return graph.ErrDetached
	}
	c.findBase(ctx)
	if c.sip != nil {
		return c.pickUp(ctx)
	}
	c.log.Info("call answered")
	c.shown.Note("answered")
	c.after(s.options.Establish, c.establish)
	return nil
}

// needsAudio refuses a call without audio: there is nothing else here.
func needsAudio(member string, modalities []string) error {
	if slices.Contains(modalities, "audio") {
		return nil
	}
	return &operation.FieldError{
		Field: member, Value: strings.Join(modalities, ", "), Limit: "audio among them",
	}
}

// rejectCall is for graph: the bot does not want the call. A telephone gets a response; who plays a
// caller gets none.
func (s *Service) rejectCall(_ context.Context, g *graph.Call, why graph.RejectReason) error {
	if c := s.callOf(g); c != nil {
		c.log.Info("call rejected", slog.String("reason", string(why)))
		c.shown.Note("rejected")
		r := graph.ResultInfo{
			Code: 200, Subcode: 10550, Message: "The conversation has ended by bot.",
		}
		c.sendAway(statusFor(why), r)
		c.end(nil, r)
	}
	return nil
}

// mute is for graph: the caller hears the bot no more, or again.
func (s *Service) mute(_ context.Context, g *graph.Call, muted bool) error {
	if c := s.callOf(g); c != nil {
		c.muted.Store(muted)
		c.shown.Note(map[bool]string{true: "muted", false: "unmuted"}[muted])
	}
	return nil
}

// recordingStatus is for graph: the bot records the call itself, or does not.
func (s *Service) recordingStatus(
	_ context.Context, g *graph.Call, status graph.RecordingStatus,
) error {
	if c := s.callOf(g); c != nil {
		c.log.Info("recording status", slog.String("status", string(status)))
	}
	return nil
}
