package main

import (
	"path/filepath"
	"strings"

	"ivrqueue/examples/ivr/terminal"
)

// tryout is what one pastes to be a bot, and a caller, at once. Its lines have no comments: not
// every shell takes them.
const tryout = `
{Be the bot:} paste this into another terminal. It calls, plays music, cancels it, and
shows the bot's notifications.

{certificate}  API={api} AUTH='Authorization: Bearer {token}' JSON='Content-Type: application/json'
  CALL=$(curl -s -w '\n' -H "$AUTH" -H "$JSON" $API/v1.0/communications/calls -d '{
    "callbackUri": "{api}/dev/inbox", "requestedModalities": ["audio"],
    "targets": [{"identity": {"{callee}": {"id": "+12345678901"}}}],
    "mediaConfig": {"@odata.type": "#microsoft.graph.serviceHostedMediaConfig"}
  }' | sed 's/.*"id":"\([^"]*\)".*/\1/')
  URL=$API/v1.0/communications/calls/$CALL
  sleep 1
  curl -s -w '\n' -H "$AUTH" -H "$JSON" $URL/playPrompt -d '{
    "clientContext": "music", "loop": true,
    "prompts": [{"mediaInfo": {"uri": "embedded:music.wav"}}]
  }'
  sleep 2
  curl -s -w '\n' -H "$AUTH" -H "$JSON" $URL/cancelMediaProcessing -d '{}'
  sleep 1
  curl -s -w '\n' -H "$AUTH" $API/dev/inbox

{Be the caller of that call:} press keys, fetch what you have heard, hang up.

  curl -s -w '\n' -H "$AUTH" -H "$JSON" $URL/subscribeToTone -d '{}' # else it gets no keys
  curl -s -w '\n' -H "$AUTH" -d '{"tones": "12#"}' $API/dev/calls/$CALL/tones
  curl -s -w '\n' -H "$AUTH" $API/dev/inbox
  curl -s -w '\n' -H "$AUTH" -o heard.wav $API/dev/calls/$CALL/heard.wav
  curl -s -w '\n' -H "$AUTH" -X DELETE $API/dev/calls/$CALL
`

// ring is what one pastes to call the bot, if it takes calls.
const ring = `
{Call the bot:} it gets a notification that a caller rings.

  curl -s -w '\n' -H "$AUTH" -X POST $API/dev/calls
`

const ending = `
Other actions on a call are recordResponse, subscribeToTone, sendDtmfTones, mute and unmute, and
answer and reject of one that comes in; docs/endpoints.md lists all endpoints, with their pages.
Ctrl-C ends the service; serve -h tells the rest. Its log follows.
`

// tryIt returns the lines to be pasted, for a service that is found at api.
func (o *serveOptions) tryIt(api string, p terminal.Palette) string {
	text := tryout
	if o.service.Bots["dev"] != "" {
		text += ring
	}
	callee := "phone"
	if o.phones.listen != "" {
		callee = "user" // a phone would be a telephone of the trunk's, if there is one
	}
	certificate := ""
	if o.front.cert != "" { // it may be its own authority
		path, err := filepath.Abs(o.front.cert)
		if err != nil {
			path = o.front.cert
		}
		certificate = "  export CURL_CA_BUNDLE='" +
			strings.ReplaceAll(terminal.Plain(path), "'", `'\''`) + "'\n"
	}
	strong := func(s string) string { return p.Paint(terminal.Strong, s) }
	return strings.NewReplacer(
		"{api}", api, "{token}", o.ready, "{certificate}", certificate, "{callee}", callee,
		"{Be the bot:}", strong("Be the bot:"),
		"{Be the caller of that call:}", strong("Be the caller of that call:"),
		"{Call the bot:}", strong("Call the bot:"),
	).Replace(text + ending)
}
