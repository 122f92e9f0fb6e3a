package ari

// Parse reads an event: what it is about, and whether it is one.
func Parse(text []byte) (kind, playback, recording, channel, digit string, ok bool) {
	e, ok := parse(text)
	return e.Type, e.Playback.ID, e.Recording.Name, e.Channel.ID, e.Digit, ok
}
