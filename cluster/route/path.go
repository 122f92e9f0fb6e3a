package route

import (
	"net/http"
	"strings"

	"github.com/google/uuid"
)

// CallOf returns the id of the call that a request is about: what follows the first segment "calls"
// of its path that an id follows, or stands there in parentheses, as in calls('ID'); in any letter
// case, with dashes or without. False: it is about none.
func CallOf(r *http.Request) (uuid.UUID, bool) {
	rest := r.URL.Path
	for rest != "" {
		var segment string
		segment, rest, _ = strings.Cut(rest, "/")
		name, key, keyed := strings.Cut(segment, "(")
		if !strings.EqualFold(name, "calls") {
			continue
		}
		id, _, _ := strings.Cut(rest, "/")
		if keyed { // as package graph reads it
			id = strings.Trim(strings.TrimSuffix(key, ")"), "'")
		}
		if len(id) != 36 && len(id) != 32 { // uuid.Parse takes other forms too
			continue
		}
		if call, err := uuid.Parse(id); err == nil {
			return call, true
		}
	}
	return uuid.Nil, false
}

// creates reports whether a request is for a new call.
func creates(r *http.Request) bool {
	path := strings.TrimSuffix(r.URL.Path, "/")
	at := strings.LastIndexByte(path, '/') + 1
	return r.Method == http.MethodPost && strings.EqualFold(path[at:], "calls")
}
