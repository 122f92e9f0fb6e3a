package graph

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/google/uuid"
)

// A roster is who takes part in a call at an instant: the application, and from established on the
// other side.
type roster struct {
	muted bool // the application
	both  bool
}

type participantResource struct {
	Type         string          `json:"@odata.type"`
	ID           string          `json:"id"`
	Info         json.RawMessage `json:"info"`
	MediaStreams []mediaStream   `json:"mediaStreams"`
	IsMuted      bool            `json:"isMuted"`
	IsInLobby    bool            `json:"isInLobby"`
	Metadata     any             `json:"metadata"`
}

type mediaStream struct {
	Type        string `json:"@odata.type"`
	MediaType   string `json:"mediaType"`
	SourceID    string `json:"sourceId"`
	Direction   string `json:"direction"`
	ServerMuted bool   `json:"serverMuted"`
	Label       string `json:"label"`
}

// now is the roster of this moment; c.mu is held.
func (c *Call) roster() roster {
	return roster{muted: c.muted, both: c.established}
}

// notifyRoster puts the notification of who takes part now, for which so many bytes are reserved;
// c.mu is held. It returns false if no more are put.
func (c *Call) notifyRoster(cost int64) bool {
	r := c.roster()
	return c.out.enqueue(pendingNotification{roster: &r, cost: cost}, false)
}

// rosterCost is what is reserved for a list of participants that is sent for a client's request.
func (c *Call) rosterCost() int64 {
	return int64(noticeCost + len(c.given.Resource.Source) + len(c.given.Resource.Targets))
}

// participants shows a roster: the application first.
func (c *Call) participants(r roster) []participantResource {
	given := &c.given.Resource
	own, other := given.Source, firstTarget(given.Targets)
	if strings.EqualFold(given.Direction, "incoming") {
		own, other = other, own
	}
	all := []participantResource{participant(given.MyParticipantID, own, "1", r.muted)}
	if r.both {
		all = append(all, participant(c.otherParticipantID(), other, "2", false))
	}
	return all
}

// otherParticipantID is the id of the other side: the same whenever it is asked for.
func (c *Call) otherParticipantID() string {
	return uuid.NewSHA1(c.given.ID, []byte("participant")).String()
}

func participant(id string, info json.RawMessage, source string, muted bool) participantResource {
	return participantResource{
		Type: typePrefix + "participant", ID: id, Info: jsonOr(info, "null"), IsMuted: muted,
		MediaStreams: []mediaStream{{
			Type: typePrefix + "mediaStream", MediaType: "audio", SourceID: source,
			Direction: "sendReceive", ServerMuted: muted, Label: "main-audio",
		}},
	}
}

// firstTarget returns the participantInfo of the first of a call's targets; nothing if there is
// none. They are the platform's affair, so they may be anything.
func firstTarget(targets json.RawMessage) json.RawMessage {
	var all []struct {
		Identity json.RawMessage `json:"identity"`
	}
	if json.Unmarshal(targets, &all) != nil || len(all) == 0 {
		return nil
	}
	info, _ := json.Marshal(struct { // it was read, so it can be written
		Type     string          `json:"@odata.type"`
		Identity json.RawMessage `json:"identity"`
	}{typePrefix + "participantInfo", jsonOr(all[0].Identity, "null")})
	return info
}

// listParticipants: https://learn.microsoft.com/graph/api/call-list-participants.
func (x *request) listParticipants() (*reply, error) {
	return &reply{status: http.StatusOK, body: struct {
		Context string                `json:"@odata.context"`
		Value   []participantResource `json:"value"`
	}{
		x.base + "/$metadata#communications/calls('" + x.call.given.ID.String() + "')/participants",
		x.participants(),
	}}, nil
}

// getParticipant: https://learn.microsoft.com/graph/api/participant-get.
func (x *request) getParticipant() (*reply, error) {
	for _, p := range x.participants() {
		if strings.EqualFold(p.ID, x.path.id()) {
			return &reply{status: http.StatusOK, body: p}, nil
		}
	}
	return nil, errParticipantNotFound
}

func (x *request) participants() []participantResource {
	x.call.mu.Lock()
	now := x.call.roster()
	x.call.mu.Unlock()
	return x.call.participants(now)
}
