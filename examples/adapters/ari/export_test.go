package ari

// Finished reads an event: the playback that it ends, if any, and how.
func Finished(line []byte) (channel, id, state string, ok bool) {
	e, ok := finished(line)
	return e.Playback.Target, e.Playback.ID, e.Playback.State, ok
}
