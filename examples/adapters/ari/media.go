package ari

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"ivrqueue/operation"
	"ivrqueue/queue"
)

// media is one channel.
type media struct {
	client  *Client
	channel string
}

var _ queue.Media = media{}

// Media returns the media of one channel, for one queue.
func (c *Client) Media(channel string) queue.Media { return media{c, channel} }

// Start asks for the playback. Its error is the report, unless an event was faster.
func (m media) Start(t queue.Task) error {
	play, ok := t.Request().(*operation.PlayPrompt)
	if !ok {
		return fmt.Errorf("ari: cannot do %q", t.Kind())
	}
	uris := make([]string, len(play.Prompts))
	for i, p := range play.Prompts {
		uris[i] = p.URI
	}
	if err := m.client.put(m.channel, t); err != nil {
		return err
	}
	id := t.ID().String()
	status, err := m.client.do(http.MethodPost, "/channels/"+url.PathEscape(m.channel)+"/play/"+id+
		"?media="+url.QueryEscape(strings.Join(uris, ",")))
	if err != nil {
		m.client.take(m.channel, id)
	}
	if status == 0 { // nobody knows whether it plays
		_, _ = m.client.do(http.MethodDelete, "/playbacks/"+id)
	}
	return err
}

// Stop asks for the end of the playback, which the server then tells. Where it knows of none any
// more, the event was lost or is on its way: there is nothing to wait for.
func (m media) Stop(t queue.Task) {
	id := t.ID().String()
	status, _ := m.client.do(http.MethodDelete, "/playbacks/"+id)
	if status == http.StatusNotFound {
		m.client.take(m.channel, id).End(operation.Result{Reason: operation.Cancelled})
	}
}
